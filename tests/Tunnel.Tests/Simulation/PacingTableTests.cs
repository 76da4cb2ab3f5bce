using System.Globalization;
using System.Text;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>
/// A download over lines with a rate and a queue under virtual time, with pacing and without: what arrives, and what the line's queue
/// had no room for; a text file under version control.
/// </summary>
public class PacingTableTests
{
    private const long Millisecond = 1_000_000;
    private const int Seconds = 5;

    private static readonly Line[] Lines =
    [
        new(5, 40, 20, 0),
        new(30, 30, 50, 0.2),
        new(50, 200, 10, 0),
        new(100, 150, 50, 0.02),
        new(200, 50, 50, 0),
        new(200, 50, 50, 0.01),
        new(200, 50, 50, 0.05),
        new(200, 50, 50, 0.1),
        new(400, 10, 20, 0.01),
    ];

    [Fact]
    public void TheTableHolds()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Goodput in Mbit/s over {Seconds} s, and datagrams lost in the line's queue; fast3, mtu 1350.\n\n");
        text.Append("    line                                        windows 2048                  windows 8192\n");
        text.Append(" Mbit/s  round trip ms  queue ms  loss    paced           not           paced           not\n");
        foreach (Line line in Lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"{line.Megabits,7}{line.RoundTrip,15}{line.Queue,10}{line.Loss * 100,5:0}%");
            foreach (int window in (int[])[2048, 8192])
                text.Append(Run(line, window, pacing: true)).Append(Run(line, window, pacing: false));
            text.Append('\n');
        }

        HeldTable.Check("pacing.txt", text.ToString());
    }

    private static string Run(Line line, int window, bool pacing)
    {
        var options = new KcpOptions { Interval = 10, SendWindow = window, ReceiveWindow = window, Pacing = pacing };
        var wire = new MemoryWireOptions
        {
            DelayNanoseconds = line.RoundTrip * Millisecond / 2,
            Loss = line.Loss,
            BitsPerSecond = line.Megabits * 1_000_000L,
            QueueBytes = line.Megabits * 1000 / 8 * line.Queue,
        };
        var pair = new EnginePair(options, options, wire, (ulong)window);
        pair.UserA.ToSend = long.MaxValue / 2;
        pair.RunFor(Seconds * 1000);
        MemoryWireCounters counters = pair.WireA.Counters;
        double overflowed = 100.0 * counters.Overflowed / counters.Offered;
        return string.Create(CultureInfo.InvariantCulture, $"{pair.UserB.Received * 8.0 / 1000 / pair.Now,8:0.0}{overflowed,6:0.0}%");
    }

    private readonly record struct Line(int Megabits, int RoundTrip, int Queue, double Loss);
}
