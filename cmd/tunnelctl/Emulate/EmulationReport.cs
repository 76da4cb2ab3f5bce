using System.Globalization;
using Tunnel.Links.Emulation;

namespace Tunnel.Ctl.Emulate;

/// <summary>What an emulation did, in each direction.</summary>
internal sealed record EmulationReport(double Seconds, PathCounters There, PathCounters Back)
{
    private static readonly (string Name, Func<PathCounters, long> Of)[] Counts =
    [
        ("offered", c => c.Wire.Offered),
        ("delivered", c => c.Wire.Delivered),
        ("lost", c => c.Wire.Lost),
        ("overflow", c => c.Wire.Overflowed),
        ("duplicate", c => c.Wire.Duplicated),
        ("reordered", c => c.Wire.Reordered),
        ("corrupted", c => c.Wire.Corrupted),
        ("dropped", c => c.KernelDrops + c.Refused),
        ("bytes", c => c.Bytes),
    ];

    public void Print(TextWriter to)
    {
        to.WriteLine(Line("", "there", "back"));
        foreach ((string name, Func<PathCounters, long> count) in Counts)
            to.WriteLine(Line(name, Text(count(There)), Text(count(Back))));
        to.WriteLine("(overflow: the queue was full; dropped: by the kernel, which this program was too slow for)");
    }

    public void PrintJson(TextWriter to) => to.WriteLine(JsonText.Write(this));

    private static string Line(string name, string there, string back) => $"{name,-10}{there,16}{back,16}";

    private static string Text(long count) => count.ToString(CultureInfo.InvariantCulture);
}
