using System.Globalization;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>
/// How long one short message at a time takes there and back, by loss and delay under virtual time: what whoever types waits for. A text file
/// under version control.
/// </summary>
public class EchoTableTests
{
    private const long Millisecond = 1_000_000;
    private const int Messages = 4000;
    private const int Length = 100;

    private static readonly int[] Delays = [1, 10, 25, 100];
    private static readonly double[] Losses = [0, 0.01, 0.05, 0.1];
    private static readonly double[] Percentiles = [50, 95, 99, 99.9];

    [Fact]
    public void TheTableHolds()
    {
        string heading = string.Create(CultureInfo.InvariantCulture, $"Milliseconds there and back of {Messages} messages of {Length} bytes, one at a time, 10 ms apart: ")
            + "p50, p95, p99, p99.9; loss applies both ways.\n";
        HeldTable.Check("echo.txt", heading + LossTable.Write([LossTable.Fast, LossTable.Fast3], Delays, Losses, width: 24, Cell));
    }

    private static string Cell(KcpOptions options, int delay, double loss)
    {
        long[] times = Run(options, delay, loss);
        return string.Join(' ', Percentiles.Select(p => string.Create(CultureInfo.InvariantCulture, $"{times[(int)(p / 100 * (Messages - 1))],5}")));
    }

    /// <summary>The times, shortest first.</summary>
    private static long[] Run(KcpOptions options, int delay, double loss)
    {
        var wire = new MemoryWireOptions { DelayNanoseconds = delay * Millisecond, Loss = loss };
        var pair = new EnginePair(options, options, wire, (ulong)delay);
        pair.UserB.OnDelivery = () => pair.UserB.ToSend += Length;
        long[] times = new long[Messages];
        for (int i = 0; i < Messages; i++)
        {
            long start = pair.Now;
            pair.UserA.ToSend = Length;
            pair.RunUntil(() => pair.UserA.Received == (i + 1) * Length, 3_600_000);
            times[i] = pair.Now - start;
            pair.RunFor(10);
        }

        Array.Sort(times);
        return times;
    }
}
