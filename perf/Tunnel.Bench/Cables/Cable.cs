using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Cables;

/// <summary>What lies between the two namespaces.</summary>
/// <param name="Name">In tables and files.</param>
/// <param name="Offloads">Whether segmentation offloads are on.</param>
/// <param name="Faults">`tunnelctl emulate`'s options; none: a veth without an emulator.</param>
internal sealed record Cable(string Name, bool Offloads, IReadOnlyList<string> Faults)
{
    /// <summary>The emulator's options, without their dashes.</summary>
    private static readonly string[] Words = ["delay", "jitter", "loss", "burst", "duplicate", "reorder", "corrupt", "rate", "queue"];

    public static readonly Cable Veth = new("veth", true, []);

    public static readonly Cable NoOffloads = new("veth, offloads off", false, []);

    /// <summary>A long line that loses a little.</summary>
    public static readonly Cable Lossy = Parse("delay 25ms, loss 1%, rate 200mbit, queue 50ms");

    /// <summary>A long line that loses much.</summary>
    public static readonly Cable VeryLossy = Parse("delay 25ms, loss 5%, rate 200mbit, queue 50ms");

    public bool IsEmulated => Faults.Count != 0;

    /// <summary>"veth", "veth, offloads off", or the emulator's options: "delay 25ms, loss 1%, rate 200mbit".</summary>
    /// <exception cref="BenchException">It is none of them.</exception>
    public static Cable Parse(string text)
    {
        if (text == Veth.Name)
            return Veth;
        if (text == NoOffloads.Name)
            return NoOffloads;
        // A comma with a blank: one without is part of a value.
        string[] parts = text.Split(", ", StringSplitOptions.TrimEntries);
        return new Cable(string.Join(", ", parts), true, [.. parts.SelectMany(OptionOf)]);
    }

    private static string[] OptionOf(string part) => part.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var word, var value] && Words.Contains(word)
        ? [$"--{word}", value]
        : throw new BenchException($"--cable: \"{part}\" is not one of {string.Join(", ", Words)} with a value, as delay 25ms");
}
