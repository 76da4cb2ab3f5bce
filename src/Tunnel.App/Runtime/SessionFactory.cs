using System.Security.Cryptography;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>Makes sessions and ciphers from one configuration: the derived key, the knobs, the cap on streams. Thread-safe.</summary>
public sealed class SessionFactory
{
    private readonly string _cipherName;
    private readonly byte[] _masterKey;
    private readonly SessionOptions _options;
    private readonly IStreamAdmission? _admission;

    /// <param name="cipherName">One of <see cref="CipherSuite.Names"/>.</param>
    /// <param name="masterKey">32 bytes.</param>
    /// <param name="kcp">Its mtu is set from <paramref name="mtu"/> and the cipher.</param>
    /// <param name="mux">The multiplexer's knobs.</param>
    /// <param name="mtu">Bytes of a sealed datagram at most.</param>
    /// <param name="guard">Null when the guard is off.</param>
    /// <param name="admission">What all sessions may have together.</param>
    public SessionFactory(
        string cipherName, byte[] masterKey, KcpOptions kcp, MuxOptions mux, int mtu, GuardSettings? guard, IStreamAdmission? admission)
    {
        _cipherName = cipherName;
        _masterKey = masterKey;
        Guard = guard;
        Stamp = guard is null ? null : new GuardStamp(guard);
        _admission = admission;
        using DatagramCipher cipher = CreateCipher();
        _options = SessionOptions.Create(kcp, mux, mtu, cipher.Overhead);
    }

    public GuardSettings? Guard { get; }

    /// <summary>Whether sessions find out how long datagrams may be, where the peer takes part.</summary>
    public bool ProbesPath { get; init; }

    /// <summary>What all sessions may hold together.</summary>
    public MemoryBudget Budget { get; init; } = MemoryBudget.Unlimited;

    /// <summary>Where it counts when a bound is reached.</summary>
    public LimitMeter? Limits { get; init; }

    /// <summary>Where each datagram is told of while somebody reads that; null: nowhere.</summary>
    public DatagramLog? Log { get; init; }

    /// <summary>Where what sessions and links do is added up.</summary>
    public TrafficLedger Ledger { get; init; } = new();

    /// <summary>The guard prefix of what is sent, shared by all sessions.</summary>
    public GuardStamp? Stamp { get; }

    public DatagramCipher CreateCipher()
    {
        Span<byte> seed = stackalloc byte[NonceGenerator.SeedLength];
        RandomNumberGenerator.Fill(seed);
        return CipherSuite.Create(_cipherName, _masterKey, new NonceGenerator(seed));
    }

    public Session CreateSession(uint conv, bool isClient, Instant now) => new(_options, CreateCipher(), conv, isClient, now, _admission);
}
