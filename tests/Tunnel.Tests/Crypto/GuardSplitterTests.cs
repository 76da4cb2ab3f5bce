using FsCheck;
using FsCheck.Fluent;
using Tunnel.Protocol.Crypto;

namespace Tunnel.Tests.Crypto;

public class GuardSplitterTests
{
    private const long Now = 1_700_000_000;

    private static readonly Guard Guard = At(Now);

    [Fact]
    public void MergedDatagramsComeApart() => Prop.ForAll<byte[][]>(static datagrams =>
    {
        byte[] merged = [.. datagrams.SelectMany(datagram => (byte[])[.. Prefix(Guard), .. datagram])];
        return Split(merged).Zip(datagrams).All(pair => pair.First.SequenceEqual(pair.Second)) && Split(merged).Count == datagrams.Length;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void ABorderMayBearANeighboursCookie()
    {
        byte[] merged = [.. Prefix(Guard), 1, 2, .. Prefix(At(Now + 30)), 3, .. Prefix(At(Now - 30)), 4];

        Assert.Equal([[1, 2], [3], [4]], Split(merged));
    }

    [Fact]
    public void TheMagicAloneIsNoBorder()
    {
        byte[] body = [.. "PQT1PQPQT1"u8, .. Prefix(At(Now + 300)), .. "PQT1"u8];

        Assert.Equal([body, [7]], Split([.. Prefix(Guard), .. body, .. Prefix(Guard), 7]));
        Assert.Equal([body], Split([.. Prefix(Guard), .. body]));
    }

    [Fact]
    public void AMagicThatOverlapsItselfIsStillFound()
    {
        Guard guard = new(new byte[Guard.KeyLength], "AAAA"u8, 30, 1, Now);
        byte[] prefix = Prefix(guard);
        byte[] body = [.. "AAAAAAA"u8];

        Assert.Equal([[.. "BAA"u8], body], Split([.. prefix, .. "BAA"u8, .. prefix, .. body], guard));
    }

    [Theory]
    [InlineData(11, GuardVerdict.TooShort)]
    [InlineData(12, GuardVerdict.BadCookie)]
    [InlineData(100, GuardVerdict.BadCookie)]
    public void APayloadThatDoesNotPassHasNoDatagrams(int length, GuardVerdict verdict)
    {
        byte[] payload = [.. "PQT1"u8, .. new byte[length - 4]];

        Assert.Equal(verdict, Guard.Split(payload).Verdict);
        Assert.Empty(Split(payload));
    }

    private static List<byte[]> Split(byte[] payload, Guard? guard = null)
    {
        List<byte[]> datagrams = [];
        foreach (ReadOnlySpan<byte> datagram in (guard ?? Guard).Split(payload))
            datagrams.Add(datagram.ToArray());
        return datagrams;
    }

    private static byte[] Prefix(Guard guard)
    {
        byte[] prefix = new byte[Guard.PrefixLength];
        guard.Write(prefix);
        return prefix;
    }

    private static Guard At(long time) => new(Guard.DeriveKey("test-key"), "PQT1"u8, 30, 1, time);
}
