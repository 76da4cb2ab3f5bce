using System.Text;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>From the configuration's words to the protocol's: keys, knobs, guard.</summary>
internal static class Stack
{
    /// <summary>What every peer's default is, and what one that knows no probes gets from "auto".</summary>
    private const int StockMtu = 1350;

    /// <summary>Derives the keys (a tenth of a second of work) and puts the stack together.</summary>
    /// <param name="transport">The settings at the start.</param>
    /// <param name="live">The settings now, for the limits.</param>
    /// <param name="limits">Where it counts when a bound is reached.</param>
    /// <param name="ledger">Where what sessions and links do is added up.</param>
    /// <param name="logger">Where each datagram is told of at level trace; null: nowhere.</param>
    public static SessionFactory CreateFactory(
        TransportConfig transport, Func<KcpConfig> live, LimitMeter limits, TrafficLedger ledger, ILogger? logger = null)
    {
        KcpConfig kcp = transport.Kcp;
        string secret = kcp.Key.Reveal();
        byte[] key = transport.Profile == TransportProfile.Kcptun ? KeyDerivation.Kcptun(secret) : KeyDerivation.Paqet(secret);
        var budget = new MemoryBudget(MemoryBudget.LimitOf(transport.Memory), ledger);
        var cap = new StreamCap(live, budget, limits);
        return new SessionFactory(CipherName(kcp.Block), key, KcpOptionsOf(kcp), MuxOptionsOf(kcp), kcp.Mtu ?? StockMtu, GuardOf(kcp, Guard.DeriveKey), cap)
        {
            ProbesPath = kcp.Mtu is null,
            Budget = budget,
            Limits = limits,
            Ledger = ledger,
            Log = logger is null ? null : new DatagramLog(logger),
        };
    }

    /// <summary>The same cipher and knobs under another key, for sessions that count nowhere.</summary>
    /// <param name="transport">The settings.</param>
    /// <param name="key">32 bytes.</param>
    public static SessionFactory CreateFactory(TransportConfig transport, byte[] key)
    {
        KcpConfig kcp = transport.Kcp;
        GuardSettings? guard = GuardOf(kcp, _ => key);
        return new SessionFactory(CipherName(kcp.Block), key, KcpOptionsOf(kcp), MuxOptionsOf(kcp), kcp.Mtu ?? StockMtu, guard, null)
        {
            ProbesPath = kcp.Mtu is null,
        };
    }

    public static HeaderFormat HeaderFormatOf(TransportConfig transport) => transport.Header switch
    {
        HeaderDialect.V3 => HeaderFormat.V3,
        HeaderDialect.Gob => HeaderFormat.Gob,
        _ => HeaderFormat.V1,
    };

    private static KcpOptions KcpOptionsOf(KcpConfig kcp) => new()
    {
        NoDelay = kcp.Tuning.NoDelay,
        Interval = (int)kcp.Tuning.Interval.TotalMilliseconds,
        Resend = kcp.Tuning.Resend,
        NoCongestion = kcp.Tuning.NoCongestion,
        WriteDelay = kcp.Tuning.WDelay,
        AckNoDelay = kcp.Tuning.AckNoDelay,
        Pacing = kcp.Pacing,
        SendWindow = kcp.SndWnd,
        ReceiveWindow = kcp.RcvWnd,
    };

    private static MuxOptions MuxOptionsOf(KcpConfig kcp) => new()
    {
        Version = kcp.SmuxVersion,
        SessionBuffer = kcp.SmuxBuf,
        StreamBuffer = kcp.StreamBuf,
        KeepAlive = (int)kcp.KeepAlive.TotalMilliseconds,
        KeepAliveTimeout = (int)kcp.KeepAliveTimeout.TotalMilliseconds,
        MaxStreams = kcp.MaxStreamsPerSession,
    };

    private static GuardSettings? GuardOf(KcpConfig kcp, Func<string, byte[]> deriveKey) => kcp.Guard is not { } guard
        ? null
        : new GuardSettings(
            deriveKey(kcp.Key.Reveal()), Encoding.ASCII.GetBytes(guard.Magic), (int)guard.Window.TotalSeconds, guard.Skew);

    private static string CipherName(KcpBlock block) => block switch
    {
        KcpBlock.Aes => "aes",
        KcpBlock.Aes128 => "aes-128",
        KcpBlock.Aes192 => "aes-192",
        KcpBlock.Aes128Gcm => "aes-128-gcm",
        KcpBlock.Aes256Gcm => "aes-256-gcm",
        KcpBlock.ChaCha20Poly1305 => "chacha20-poly1305",
        KcpBlock.Salsa20 => "salsa20",
        KcpBlock.Xor => "xor",
        KcpBlock.None => "none",
        KcpBlock.Null => "null",
        _ => throw new ArgumentOutOfRangeException(nameof(block)),
    };
}
