namespace Tunnel.Protocol.Primitives;

/// <summary>What sits on top of something that carries bytes in order: it takes what came and gives what is to be sent when there is room.</summary>
public interface IOrderedByteUser
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
