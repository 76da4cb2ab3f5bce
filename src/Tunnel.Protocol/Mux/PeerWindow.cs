namespace Tunnel.Protocol.Mux;

/// <summary>What a stream's peer lets this end send, as it last said; at first smux's guess. Version 2 only.</summary>
internal struct PeerWindow
{
    private uint _consumed;

    public PeerWindow()
    {
    }

    /// <summary>Bytes that may be on their way.</summary>
    public uint Size { get; private set; } = MuxSession.InitialWindow;

    /// <summary>The peer said how much it has read in all (modulo 2^32), and how large its window is.</summary>
    public void Update(uint consumed, uint size) => (_consumed, Size) = (consumed, size);

    /// <summary>Bytes that may be sent now, after so many in all.</summary>
    public readonly int Room(long sent)
    {
        int inFlight = (int)((uint)sent - _consumed);
        // A peer that claims to have read more than was sent gets nothing more until it says something sensible.
        return inFlight < 0 ? 0 : (int)Math.Clamp((long)Size - inFlight, 0, int.MaxValue);
    }
}
