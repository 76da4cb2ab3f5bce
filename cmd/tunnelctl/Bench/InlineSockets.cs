namespace Tunnel.Ctl.Bench;

/// <summary>
/// Lets a datagram socket's completion continue on the thread that polled for it. A bench's own cost is then a fraction, and an answer is seen when
/// it comes and not when the thread pool gets to it.
/// </summary>
internal static class InlineSockets
{
    /// <summary>To be called before the first socket is used: the runtime reads this once.</summary>
    public static void Enable() => Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
}
