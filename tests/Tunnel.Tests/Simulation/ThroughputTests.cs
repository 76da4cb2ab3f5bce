using System.Globalization;
using System.Text;
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
        KcpModes.Fast,
        KcpModes.Fast3,
        ("congestion window (nodelay 0, interval 40, nc 0)", new() { NoDelay = false, Interval = 40, NoCongestion = false }),
    ];

    [Fact]
    public void TheTableHolds() => HeldTable.Check("throughput.txt", Table());

    private static string Table()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Goodput in Mbit/s of {Bytes} bytes one way, 100 Mbit/s wires, mtu 1350, windows 2048; ")
            .Append("loss applies both ways.\n");
        foreach ((string name, KcpOptions options) in Modes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{name}\ndelay ms, one way");
            foreach (double loss in Losses)
                text.Append(CultureInfo.InvariantCulture, $"{$"loss {loss * 100:0}%",12}");
            text.Append('\n');
            foreach (int delay in Delays)
                AppendRow(text, options, delay);
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, KcpOptions options, int delay)
    {
        text.Append(CultureInfo.InvariantCulture, $"{delay,17}");
        foreach (double loss in Losses)
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
            text.Append(CultureInfo.InvariantCulture, $"{Bytes * 8.0 / 1000 / pair.Now,12:0.00}");
        }

        text.Append('\n');
    }
}
