using Tunnel.Ctl.Ping;

namespace Tunnel.Tests.Ping;

public class PingDiagnosisTests
{
    private static readonly PingEvidence Silence = new() { Server = "10.0.0.2:9999", Link = "pcap", HostAnswersEcho = true };

    public static TheoryData<string, string[]> Cases => new()
    {
        { "silence", ["its host is up", "transport.kcp.key", "guard_magic", "clocks", "TCP port", "tcp.handshake"] },
        { "silence-udp", ["transport.kcp.key", "UDP port"] },
        { "silence-no-guard", ["guard: it is off here"] },
        { "dead-host", ["no echo request", "is the host up", "drop echo requests", "transport.kcp.key", "TCP port"] },
        { "unknown-host", ["nothing comes back"] },
        { "reset", ["10.0.0.2:9999 refuses the port", "RST (3 seen)", "or a firewall before it"] },
        { "udp-refused", ["refuses the UDP port", "or a firewall before it", "network.link = \"udp\""] },
        { "icmp", ["cannot be reached: 10.0.0.1 says \"host unreachable\""] },
        { "guard", ["7 of its datagrams", "guard_magic", "+95.0 s"] },
        { "cipher", ["2 of its datagrams do not open", "transport.kcp.block"] },
        { "fec", ["FEC"] },
        { "foreign", ["frames: 4", "something else"] },
        { "send", ["did not take what was sent (frames: 5)"] },
        { "no-pong", ["transport.header", "it said no"] },
        { "rules", ["firewall rules are missing", "network.firewall = true"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryKindOfEvidenceHasItsSentence(string kind, string[] says)
    {
        string found = string.Join('\n', PingDiagnosis.Explain(Evidence(kind)));
        Assert.All(says, s => Assert.Contains(s, found, StringComparison.Ordinal));
    }

    /// <summary>Whoever was told by RST that the port is refused need not compare keys.</summary>
    [Theory]
    [InlineData("reset")]
    [InlineData("udp-refused")]
    [InlineData("icmp")]
    [InlineData("guard")]
    [InlineData("cipher")]
    [InlineData("foreign")]
    [InlineData("send")]
    [InlineData("no-pong")]
    public void WhatWasHeardLeavesOneSentence(string kind) => Assert.Single(PingDiagnosis.Explain(Evidence(kind)));

    [Fact]
    public void OverUdpNobodyWantsAHandshake() =>
        Assert.DoesNotContain(PingDiagnosis.Explain(Evidence("silence-udp")), s => s.Contains("handshake", StringComparison.Ordinal));

    [Fact]
    public void NothingIsWrongWithAnAnswer() => Assert.Empty(PingDiagnosis.Explain(Silence with { Acknowledged = true, Answered = true }));

    [Theory]
    [InlineData(61, true)]
    [InlineData(-61, true)]
    [InlineData(59, false)]
    public void AClockThatIsOffIsSaid(double difference, bool said)
    {
        IReadOnlyList<string> found = PingDiagnosis.Explain(Silence with { ClockDifferenceSeconds = difference, ClockToleranceSeconds = 60 });
        Assert.Equal(said, found[1].Contains(difference > 0 ? "ahead" : "behind", StringComparison.Ordinal));
    }

    private static PingEvidence Evidence(string kind) => kind switch
    {
        "silence" => Silence,
        "silence-udp" => Silence with { Link = "udp" },
        "silence-no-guard" => Silence with { HasGuard = false },
        "dead-host" => Silence with { HostAnswersEcho = false },
        "unknown-host" => Silence with { HostAnswersEcho = null },
        "reset" => Silence with { Resets = 3 },
        "udp-refused" => Silence with { Link = "udp", PortUnreachable = true, Unreachable = "10.0.0.2 says \"port unreachable\"" },
        "icmp" => Silence with { Unreachable = "10.0.0.1 says \"host unreachable\"" },
        "guard" => Silence with { Frames = 7, DroppedByGuard = 7, ClockDifferenceSeconds = 95 },
        "cipher" => Silence with { Frames = 2, DroppedByCipher = 2 },
        "fec" => Silence with { Frames = 2, DroppedByFec = 2 },
        "foreign" => Silence with { Frames = 4 },
        "send" => Silence with { SendErrors = 5 },
        "no-pong" => Silence with { Acknowledged = true, Refusal = "it said no" },
        "rules" => Silence with { Acknowledged = true, Answered = true, Resets = 1 },
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
