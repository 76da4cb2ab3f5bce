namespace Tunnel.Protocol.Kcp;

/// <summary>What sits on top of the engine: it takes the bytes in order and gives the bytes to send when there is room.</summary>
public interface IKcpUser
{
    /// <summary>There is something to send.</summary>
    bool HasOutput { get; }

    /// <summary>
    /// Takes the next bytes in order, all of them, or none (false) while it has no room; they are offered again later.
    /// </summary>
    bool TryDeliver(ReadOnlySpan<byte> data);

    /// <summary>Writes what goes into the next segment; returns how many bytes, 0 for nothing.</summary>
    int Fill(Span<byte> destination);
}
