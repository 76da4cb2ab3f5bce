using Tunnel.Protocol.Crypto;

namespace Tunnel.App.Runtime;

/// <summary>
/// The guard prefix for what is sent. A cookie lasts a whole window, so senders share a finished one and only the first of a window
/// makes it. Thread-safe.
/// </summary>
public sealed class GuardStamp(GuardSettings settings)
{
    private readonly Lock _lock = new();
    private readonly Guard _guard = settings.CreateGuard();
    private volatile Stamp? _current;

    public void Write(Span<byte> destination) => Current().Prefix.CopyTo(destination);

    private Stamp Current()
    {
        long window = GuardSettings.UnixSeconds / settings.WindowSeconds;
        Stamp? stamp = _current;
        return stamp is not null && stamp.Window == window ? stamp : Make(window);
    }

    private Stamp Make(long window)
    {
        lock (_lock)
        {
            byte[] prefix = new byte[Guard.PrefixLength];
            _guard.Refresh(window * settings.WindowSeconds);
            _guard.Write(prefix);
            return _current = new Stamp(window, prefix);
        }
    }

    private sealed record Stamp(long Window, byte[] Prefix);
}

/// <summary>What both ends' guards have in common.</summary>
/// <param name="Key">32 bytes from <see cref="Guard.DeriveKey"/>.</param>
/// <param name="Magic">4 bytes.</param>
/// <param name="WindowSeconds">How long a cookie is current.</param>
/// <param name="SkewWindows">How many windows the peer's clock may be off, either way.</param>
public sealed record GuardSettings(byte[] Key, byte[] Magic, int WindowSeconds, int SkewWindows)
{
    public static long UnixSeconds => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public Guard CreateGuard() => new(Key, Magic, WindowSeconds, SkewWindows, UnixSeconds);

    // Keys do not belong in logs.
    public override string ToString() => $"guard, window {WindowSeconds} s, skew {SkewWindows}";
}
