using System.Net;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Dump;

/// <summary>Which packets are shown. All of them are decoded: what is left out may be what puts others in order.</summary>
internal sealed record DumpFilter
{
    /// <summary>The words that <see cref="Only"/> takes.</summary>
    public static readonly IReadOnlyList<string> Kinds =
    [
        "push", "ack", "wask", "wins", "forgot", "syn", "fin", "psh", "nop", "upd", "reset", "rst", "guard", "sealed", "fec", "malformed",
        "gap", "again", "waits", "merged", "empty",
    ];

    /// <summary>One of the packet's ends.</summary>
    public IPAddress? Host { get; init; }

    /// <summary>The tunnel's ports, both ends included.</summary>
    public (int First, int Last)? Ports { get; init; }

    /// <summary>True: towards the tunnel's ports; false: from them; null: both.</summary>
    public bool? Up { get; init; }

    /// <summary>At least one of these kinds; empty: any.</summary>
    public IReadOnlySet<string> Only { get; init; } = new HashSet<string>();

    /// <summary>Has a frame of this smux stream.</summary>
    public uint? Stream { get; init; }

    public bool Passes(DumpedPacket packet) =>
        PassesHost(packet) && PassesPorts(packet) && PassesStream(packet) && (Only.Count == 0 || KindsOf(packet).Any(Only.Contains));

    /// <summary>Everything that a packet is.</summary>
    internal static IEnumerable<string> KindsOf(DumpedPacket packet)
    {
        if ((packet.TcpFlags & TcpFlags.Rst) != 0 && packet.Datagrams.Count == 0)
            yield return "rst";
        if (packet.Datagrams.Count == 0)
            yield return "empty";
        if (packet.Datagrams.Count > 1)
            yield return "merged";
        foreach (DumpedDatagram datagram in packet.Datagrams)
        {
            if (datagram.State != DatagramState.Open)
                yield return datagram.State.ToString().ToLowerInvariant();
            foreach (DumpedSegment segment in datagram.Segments)
            {
                yield return NameOf(segment.Segment.Command);
                if (segment.Place is SegmentPlace.Again or SegmentPlace.Waits)
                    yield return segment.Place.ToString().ToLowerInvariant();
                foreach (DumpedMuxFrame frame in segment.Frames)
                    yield return frame.Gap.Length != 0 ? "gap" : NameOf(frame.Frame.Command);
            }
        }
    }

    internal static string NameOf(KcpCommand command) => command switch
    {
        KcpCommand.Push => "push",
        KcpCommand.Ack => "ack",
        KcpCommand.WindowAsk => "wask",
        KcpCommand.WindowTell => "wins",
        _ => "forgot",
    };

    internal static string NameOf(MuxCommand command) => command switch
    {
        MuxCommand.Open => "syn",
        MuxCommand.Finish => "fin",
        MuxCommand.Data => "psh",
        MuxCommand.KeepAlive => "nop",
        MuxCommand.WindowUpdate => "upd",
        _ => "reset",
    };

    private bool PassesHost(DumpedPacket packet) => Host is null || IsHost(packet.Source) || IsHost(packet.Destination);

    private bool IsHost(Endpoint? end) => end is { } e && e.ToIPEndPoint().Address.Equals(Host);

    private bool PassesPorts(DumpedPacket packet)
    {
        if (Ports is null)
            return true;
        bool up = IsPort(packet.Destination), down = IsPort(packet.Source);
        return Up switch { true => up, false => down, null => up || down };
    }

    private bool IsPort(Endpoint? end) => end is { } e && e.Port >= Ports!.Value.First && e.Port <= Ports.Value.Last;

    private bool PassesStream(DumpedPacket packet) => Stream is null || packet.Datagrams
        .SelectMany(d => d.Segments).SelectMany(s => s.Frames).Any(f => f.Gap.Length == 0 && f.Frame.StreamId == Stream);
}
