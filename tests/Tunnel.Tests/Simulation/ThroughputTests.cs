using System.Globalization;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>
/// Goodput by loss and delay under virtual time, as a text file under version control: a change of behaviour is a diff of numbers.
/// </summary>
public class ThroughputTests
{
    private const long Millisecond = 1_000_000;
    private const int Bytes = 1_000_000;

    private static readonly int[] Delays = [1, 10, 50, 100];
    private static readonly double[] Losses = [0, 0.01, 0.05, 0.1, 0.2];

    private static readonly (string Name, KcpOptions Options)[] Modes =
    [
        LossTable.Fast,
        LossTable.Fast3,
        ("congestion window (nodelay 0, interval 40, nc 0)", new() { NoDelay = false, Interval = 40, NoCongestion = false }),
    ];

    [Fact]
    public void TheTableHolds()
    {
        string heading = string.Create(CultureInfo.InvariantCulture, $"Goodput in Mbit/s of {Bytes} bytes one way, 100 Mbit/s wires, mtu 1350, windows 2048; ")
            + "loss applies both ways.\n";
        HeldTable.Check("throughput.txt", heading + LossTable.Write(Modes, Delays, Losses, width: 12, Cell));
    }

    private static string Cell(KcpOptions options, int delay, double loss)
    {
        var wire = new MemoryWireOptions
        {
            DelayNanoseconds = delay * Millisecond,
            Loss = loss,
            BitsPerSecond = 100_000_000,
            QueueBytes = 4 << 20,
        };
        var pair = new EnginePair(options, options, wire, (ulong)delay);
        pair.UserA.ToSend = Bytes;
        pair.RunUntil(() => pair.UserB.Received == Bytes, 3_600_000);
        return string.Create(CultureInfo.InvariantCulture, $"{Bytes * 8.0 / 1000 / pair.Now:0.00}");
    }
}
