using Tunnel.Links;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A client's side of TCP's three-way handshake, made by hand on a link that nobody else reads yet: the SYN is repeated with growing
/// pauses until the server's answer comes.
/// </summary>
internal sealed class TcpHandshake : IFrameSink
{
    private static readonly int[] Pauses = [250, 500, 1000, 2000];

    private readonly IPacketLink _link;
    private readonly FlowAddresses _addresses;
    private readonly int _dscp;
    private readonly uint _first = (uint)Random.Shared.NextInt64(1L << 32);
    private HandshakenFlow? _answer;
    private bool _refused;

    private TcpHandshake(IPacketLink link, in FlowAddresses addresses, int dscp)
    {
        _link = link;
        _addresses = addresses;
        _dscp = dscp;
    }

    /// <summary>Blocks until the flow is open.</summary>
    /// <exception cref="LinkException">The server does not answer, or refuses (Network).</exception>
    /// <exception cref="OperationCanceledException">Cancelled; within a quarter of a second.</exception>
    public static HandshakenFlow Run(IPacketLink link, in FlowAddresses addresses, int dscp, CancellationToken cancel)
    {
        var handshake = new TcpHandshake(link, addresses, dscp);
        foreach (int pause in Pauses)
        {
            handshake.SendSyn();
            if (handshake.Wait(pause, cancel) is { } flow)
                return flow;
        }

        throw new LinkException(
            LinkFault.Network,
            $"no answer to the TCP handshake from {addresses.Destination} within {Pauses.Sum() / 1000.0:0.#} s: is the server there, and does "
            + "it have network.tcp.handshake = true?");
    }

    public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        if (TcpSegment.TryParse(frame, out TcpSegment segment) != WireDrop.None || _answer is not null)
            return;
        bool ours = segment.Source == _addresses.Destination && segment.Destination == _addresses.Source;
        if (!ours || (segment.Flags & TcpFlags.Ack) == 0 || segment.Acknowledgment != _first + 1)
            return;
        _refused |= (segment.Flags & TcpFlags.Rst) != 0;
        if ((segment.Flags & TcpFlags.Syn) != 0)
            _answer = new HandshakenFlow(_first + 1, segment.Sequence + 1, segment.TimestampValue);
    }

    public void OnBatchEnd()
    {
        // The answer is looked for after each batch.
    }

    private HandshakenFlow? Wait(int milliseconds, CancellationToken cancel)
    {
        long end = Environment.TickCount64 + milliseconds;
        for (long left = milliseconds; left > 0; left = end - Environment.TickCount64)
        {
            cancel.ThrowIfCancellationRequested();
            _link.Receive(this, (int)Math.Min(left, Pauses[0]));
            if (_refused)
                throw Refused();
            if (_answer is { } flow)
            {
                Send(new ControlSegment(TcpFlags.Ack, flow.Sequence, flow.PeerNext, Timestamp, flow.PeerTimestamp));
                return flow;
            }
        }

        return null;
    }

    private LinkException Refused() => new(
        LinkFault.Network,
        $"{_addresses.Destination} refuses the TCP handshake (RST): nothing listens there, or the server does not have "
        + "network.tcp.handshake = true");

    private static uint Timestamp => (uint)MonotonicClock.Now.Milliseconds;

    private void SendSyn() => Send(new ControlSegment(TcpFlags.Syn, _first, 0, Timestamp, 0));

    private void Send(ControlSegment segment)
    {
        Span<byte> frame = stackalloc byte[ControlSegment.MaxLength];
        int length = segment.Write(frame, _addresses, _dscp);
        _link.Send(frame[..length], length, default);
    }
}

/// <summary>A TCP flow after its handshake.</summary>
/// <param name="Sequence">Where this end's bytes begin.</param>
/// <param name="PeerNext">Where the peer's do.</param>
/// <param name="PeerTimestamp">The peer's last timestamp.</param>
public readonly record struct HandshakenFlow(uint Sequence, uint PeerNext, uint PeerTimestamp);

/// <summary>Whether flows are opened by TCP's handshake, and by whom.</summary>
public enum HandshakeRole
{
    /// <summary>There is none, as with paqet.</summary>
    None,

    /// <summary>This end opens flows.</summary>
    Client,

    /// <summary>This end answers, and takes flows without handshake as well.</summary>
    Server,
}
