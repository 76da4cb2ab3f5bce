namespace Tunnel.Protocol.Mux;

/// <summary>What this end lets a stream's peer send, and what of it was read since it was told. Version 2 only.</summary>
internal struct GrantedWindow
{
    // 0 until the peer is told: a stream has no byte to spare for saying that by itself.
    private int _told;
    private int _mostTold;
    private int _readSince;

    public GrantedWindow()
    {
    }

    /// <summary>Bytes that may be on their way or unread, as the peer was last told; before that smux's guess.</summary>
    public readonly int Size => _told == 0 ? MuxSession.InitialWindow : _told;

    /// <summary>What was granted before is kept, so this is what the peer is held to.</summary>
    public readonly int Largest => Math.Max(MuxSession.InitialWindow, _mostTold);

    /// <summary>What a peer that keeps to its windows may fill: the most that it was told, or its guess.</summary>
    public readonly int Promised => _mostTold == 0 ? MuxSession.InitialWindow : _mostTold;

    /// <summary>Bytes read in all, modulo 2^32.</summary>
    public uint Consumed { get; private set; }

    /// <summary>What is left if all that arrived has been read, as far as the peer knows.</summary>
    public readonly int Left => Size - _readSince;

    /// <summary>The peer should be told: at the first read, and then every half window at the latest.</summary>
    public readonly bool IsUpdateDue => _told == 0 || _readSince >= Size / 2;

    public void Read(int count)
    {
        Consumed += (uint)count;
        _readSince += count;
    }

    /// <summary>The peer is told what was read, and a new size.</summary>
    public void Tell(int size)
    {
        _told = size;
        _mostTold = Math.Max(_mostTold, size);
        _readSince = 0;
    }
}
