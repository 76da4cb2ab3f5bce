using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Simulation;

namespace Tunnel.Tests.Kcp;

/// <summary>A user of the engine that sends so many bytes of a pattern and checks what it gets against the other end's.</summary>
internal sealed class ScriptedUser(ulong writeKey = 1, ulong readKey = 2) : IOrderedByteUser
{
    /// <summary>Bytes that it still wants to send.</summary>
    public long ToSend { get; set; }

    public long Sent { get; private set; }

    public long Received { get; private set; }

    /// <summary>False: there is no room for what arrives.</summary>
    public bool Accepts { get; set; } = true;

    /// <summary>Bytes that one segment gets at most.</summary>
    public int LargestPiece { get; set; } = int.MaxValue;

    /// <summary>Done within each delivery.</summary>
    public Action? OnDelivery { get; set; }

    public bool HasOutput => ToSend > 0;

    public bool TryDeliver(ReadOnlySpan<byte> data)
    {
        if (!Accepts)
            return false;
        OnDelivery?.Invoke();
        Pattern.Check(readKey, Received, data);
        Received += data.Length;
        return true;
    }

    public int Fill(Span<byte> destination)
    {
        int length = (int)Math.Min(Math.Min(destination.Length, LargestPiece), ToSend);
        Pattern.Fill(writeKey, Sent, destination[..length]);
        Sent += length;
        ToSend -= length;
        return length;
    }
}
