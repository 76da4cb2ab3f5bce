using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.Links.Emulation;

namespace Tunnel.Ctl.Emulate;

/// <summary>What an emulation did, in each direction.</summary>
internal sealed record EmulationReport(double Seconds, PathCounters There, PathCounters Back)
{
    public void Print(TextWriter to)
    {
        to.WriteLine("         offered  delivered       lost   overflow  duplicate  reordered  corrupted    dropped        bytes");
        Print(to, "there", There);
        Print(to, "back", Back);
        to.WriteLine("(overflow: the queue was full; dropped: by the kernel, which this program was too slow for)");
    }

    public void PrintJson(TextWriter to) => to.WriteLine(JsonSerializer.Serialize(this, EmulationJson.Default.EmulationReport));

    private static void Print(TextWriter to, string name, PathCounters c) => to.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-5}{c.Wire.Offered,11}{c.Wire.Delivered,11}{c.Wire.Lost,11}{c.Wire.Overflowed,11}{c.Wire.Duplicated,11}"
        + $"{c.Wire.Reordered,11}{c.Wire.Corrupted,11}{c.KernelDrops + c.Refused,11}{c.Bytes,13}"));
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EmulationReport))]
internal sealed partial class EmulationJson : JsonSerializerContext;
