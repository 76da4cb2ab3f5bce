using Tunnel.Links.Memory;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Simulation;

/// <summary>Everything about one simulated world that its seed chooses.</summary>
internal sealed record Scenario
{
    private const long Millisecond = 1_000_000;

    private static readonly KcpOptions[] Modes =
    [
        new() { NoDelay = false, Interval = 40, Resend = 2, NoCongestion = true, WriteDelay = true, AckNoDelay = false },
        new() { NoDelay = false, Interval = 30, Resend = 2, NoCongestion = true, WriteDelay = true, AckNoDelay = false },
        new() { NoDelay = true, Interval = 20, Resend = 2, NoCongestion = true, WriteDelay = false, AckNoDelay = true },
        new() { NoDelay = true, Interval = 10, Resend = 2, NoCongestion = true, WriteDelay = false, AckNoDelay = true },
        new() { NoDelay = false, Interval = 40, Resend = 2, NoCongestion = false, WriteDelay = true, AckNoDelay = false },
        new() { NoDelay = true, Interval = 10, Resend = 0, NoCongestion = false, WriteDelay = false, AckNoDelay = false },
        new() { NoDelay = true, Interval = 10, Resend = 1, NoCongestion = true, WriteDelay = false, AckNoDelay = true },
    ];

    private static readonly int[] Windows = [8, 32, 128, 512, 2048];

    /// <summary>What the path may carry at one time or another, with probes on.</summary>
    private static readonly int[] PathMtus = [SessionOptions.SafeMtu, 1216, 1336, 1400, 1428, 1436, 1500, 4000, 9000];

    private static readonly int[] Mtus = [300, 576, 1200, 1350, 1400, 1500];

    public required ulong Seed { get; init; }

    public required string Cipher { get; init; }

    public required SessionOptions Client { get; init; }

    public required SessionOptions Server { get; init; }

    public required MemoryWireOptions Up { get; init; }

    public required MemoryWireOptions Down { get; init; }

    /// <summary>On the owners' clock; also close before its milliseconds wrap at 2^32.</summary>
    public required long StartNanoseconds { get; init; }

    /// <summary>From the start; after it the wires are perfect.</summary>
    public required long FaultNanoseconds { get; init; }

    public required IReadOnlyList<StreamPlan> Streams { get; init; }

    /// <summary>Bytes of a datagram that the link takes; 0: the ends do not probe the path.</summary>
    public int LinkMtu { get; init; }

    /// <summary>From when on the path carries so much, each way on its own.</summary>
    public IReadOnlyList<PathChange> PathChanges { get; init; } = [];

    public static Scenario Draw(ulong seed)
    {
        var random = new Prng(seed);
        string cipher = CipherSuite.Names[random.Next(CipherSuite.Names.Count)];
        using DatagramCipher sample = CipherSuite.Create(cipher, new byte[32], new NonceGenerator(new byte[32]));
        KcpOptions mode = Modes[random.Next(Modes.Length)];
        int version = 1 + random.Next(2);
        long start = random.Chance(0.3) ? (uint.MaxValue - (long)random.Next(20_000)) * Millisecond : random.Next(1_000_000_000);
        long faults = (1 + random.Next(40)) * 1000 * Millisecond;
        bool probes = random.Chance(0.4);
        return new Scenario
        {
            Seed = seed,
            Cipher = cipher,
            Client = DrawOptions(ref random, mode, version, sample.Overhead),
            Server = DrawOptions(ref random, mode, version, sample.Overhead),
            Up = DrawWire(ref random, cipher, start, faults),
            Down = DrawWire(ref random, cipher, start, faults),
            StartNanoseconds = start,
            FaultNanoseconds = faults,
            Streams = DrawStreams(ref random),
            LinkMtu = probes ? PathMtus[random.Next(PathMtus.Length)] : 0,
            PathChanges = probes ? DrawPathChanges(ref random, faults) : [],
        };
    }

    public override string ToString() =>
        $"seed {Seed}: {Cipher}, smux {Client.Mux.Version}, {Client.Kcp}, mtu {Client.Mtu}/{Server.Mtu}, {Streams.Count} streams, "
        + $"loss {Up.Loss:0.00}/{Down.Loss:0.00}, blackouts {Up.Blackouts.Count}/{Down.Blackouts.Count}, "
        + $"link {LinkMtu}, path {string.Join(' ', PathChanges)}";

    private static PathChange[] DrawPathChanges(ref Prng random, long faults)
    {
        var changes = new PathChange[1 + random.Next(6)];
        for (int i = 0; i < changes.Length; i++)
            changes[i] = new((long)(random.NextDouble() * faults), random.Chance(0.5), PathMtus[random.Next(PathMtus.Length)]);
        return [.. changes.OrderBy(c => c.AfterNanoseconds)];
    }

    private static List<StreamPlan> DrawStreams(ref Prng random)
    {
        var plans = new List<StreamPlan>();
        for (int i = 1 + random.Next(8); i > 0; i--)
            plans.Add(StreamPlan.Draw(ref random));
        return plans;
    }

    private static SessionOptions DrawOptions(ref Prng random, KcpOptions mode, int version, int overhead)
    {
        KcpOptions kcp = mode with
        {
            SendWindow = Windows[random.Next(Windows.Length)],
            ReceiveWindow = Windows[random.Next(Windows.Length)],
            Pacing = random.Chance(0.7),
        };
        var mux = new MuxOptions
        {
            Version = version,
            SessionBuffer = 1 << 16 + random.Next(6),
            StreamBuffer = 1 << 14 + random.Next(6),

            // The faults last longer than a real keepalive allows; a session that gives up is not what is looked for here.
            KeepAlive = 5000,
            KeepAliveTimeout = 600_000,
        };
        return SessionOptions.Create(kcp, mux, Mtus[random.Next(Mtus.Length)], overhead);
    }

    private static MemoryWireOptions DrawWire(ref Prng random, string cipher, long start, long faults) => new()
    {
        DelayNanoseconds = random.Next(150) * Millisecond + random.Next(1_000_000),
        JitterNanoseconds = random.Chance(0.4) ? random.Next(60) * Millisecond : 0,
        Loss = random.Chance(0.6) ? random.NextDouble() * 0.3 : 0,
        BurstBegin = random.Chance(0.3) ? random.NextDouble() * 0.05 : 0,
        Duplicate = random.Chance(0.4) ? random.NextDouble() * 0.2 : 0,
        Reorder = random.Chance(0.4) ? random.NextDouble() * 0.3 : 0,
        ReorderDelayNanoseconds = random.Next(200) * Millisecond,

        // Without a cipher nothing finds damage: there the path must be honest.
        Corrupt = cipher != "null" && random.Chance(0.4) ? random.NextDouble() * 0.1 : 0,
        BitsPerSecond = random.Chance(0.3) ? 1_000_000 + random.Next(50_000_000) : 0,
        Blackouts = DrawBlackouts(ref random, start, faults),
    };

    private static Blackout[] DrawBlackouts(ref Prng random, long start, long faults)
    {
        if (!random.Chance(0.3))
            return [];
        long length = Math.Min(faults, random.Next(20_000) * Millisecond);
        long from = start + (long)(random.NextDouble() * (faults - length));
        return [new Blackout(from, from + length)];
    }
}

/// <summary>The path changes: from a moment after the start on it carries so many bytes, one way.</summary>
internal readonly record struct PathChange(long AfterNanoseconds, bool Up, int Mtu);
