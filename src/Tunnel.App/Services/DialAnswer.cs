using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>What whoever dialled says to the end that asked, before anything of the target's.</summary>
internal static class DialAnswer
{
    /// <summary>One byte: the target is there. Never changes.</summary>
    public static readonly ReadOnlyMemory<byte> Connected = new[] { (byte)DialResult.Connected };
}
