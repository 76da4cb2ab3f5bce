using System.CommandLine;
using Tunnel.Links.Memory;

namespace Tunnel.Ctl.Emulate;

/// <summary>The faults on the command line. Each option has one value for both directions, or two with a slash between: there/back.</summary>
internal sealed class ImpairmentOptions
{
    /// <summary>Bytes on their way, in each direction, whatever the delay.</summary>
    private const long MaximumBytes = 256 << 20;

    private readonly Option<string?> _delay = Create("--delay", "How long a packet travels: 20ms");
    private readonly Option<string?> _jitter = Create("--jitter", "Up to so much more, evenly spread; the order stays: 5ms");
    private readonly Option<string?> _loss = Create("--loss", "Lost, each on its own: 5%");
    private readonly Option<string?> _burst = Create(
        "--burst", "Lost in bursts (Gilbert-Elliott): BEGIN,END[,LOSS], chances a packet that a burst begins, ends, and of loss within: 0.5%,25%");
    private readonly Option<string?> _duplicate = Create("--duplicate", "Arrive twice: 1%");
    private readonly Option<string?> _reorder = Create("--reorder", "Held back while others pass, and for how long: 1%[,2ms]");
    private readonly Option<string?> _corrupt = Create("--corrupt", "Arrive with a wrong bit: 0.1%");
    private readonly Option<string?> _rate = Create("--rate", "Bits a second, frames with their headers: 100mbit");
    private readonly Option<string?> _queue = Create("--queue", "With --rate, what may wait; the rest is lost: 256KiB or 50ms");

    public void AddTo(Command command)
    {
        foreach (Option<string?> option in (Option<string?>[])[_delay, _jitter, _loss, _burst, _duplicate, _reorder, _corrupt, _rate, _queue])
            command.Options.Add(option);
    }

    /// <exception cref="FormatException">An option is not what it should be.</exception>
    public (MemoryWireOptions There, MemoryWireOptions Back) Read(ParseResult parsed)
    {
        (MemoryWireOptions There, MemoryWireOptions Back) both = (Bounded(), Bounded());
        Each(parsed, _delay, both, (wire, text) => wire.DelayNanoseconds = ImpairmentText.Time("--delay", text));
        Each(parsed, _jitter, both, (wire, text) => wire.JitterNanoseconds = ImpairmentText.Time("--jitter", text));
        Each(parsed, _loss, both, (wire, text) => wire.Loss = ImpairmentText.Part("--loss", text));
        Each(parsed, _burst, both, ReadBurst);
        Each(parsed, _duplicate, both, (wire, text) => wire.Duplicate = ImpairmentText.Part("--duplicate", text));
        Each(parsed, _reorder, both, ReadReorder);
        Each(parsed, _corrupt, both, (wire, text) => wire.Corrupt = ImpairmentText.Part("--corrupt", text));
        Each(parsed, _rate, both, (wire, text) => wire.BitsPerSecond = ImpairmentText.Rate("--rate", text));
        Each(parsed, _queue, both, (wire, text) => wire.QueueBytes = ImpairmentText.Queue("--queue", text, wire.BitsPerSecond));
        return both;
    }

    private static MemoryWireOptions Bounded() => new() { MaximumBytesInFlight = MaximumBytes };

    private static Option<string?> Create(string name, string description) => new(name) { Description = description, HelpName = "VALUE[/BACK]" };

    private static void Each(
        ParseResult parsed, Option<string?> option, (MemoryWireOptions There, MemoryWireOptions Back) both, Action<MemoryWireOptions, string> set)
    {
        if (parsed.GetValue(option) is not { } text)
            return;
        string[] values = text.Split('/');
        if (values.Length > 2)
            throw new FormatException($"{option.Name} {text}: one value, or two with a slash between");
        set(both.There, values[0]);
        set(both.Back, values[^1]);
    }

    private static void ReadBurst(MemoryWireOptions wire, string text)
    {
        string[] parts = text.Split(',');
        if (parts.Length is < 2 or > 3)
            throw new FormatException($"--burst {text}: BEGIN,END[,LOSS]");
        wire.BurstBegin = ImpairmentText.Part("--burst", parts[0]);
        wire.BurstEnd = ImpairmentText.Part("--burst", parts[1]);
        wire.BurstLoss = parts.Length == 3 ? ImpairmentText.Part("--burst", parts[2]) : 1;
    }

    private static void ReadReorder(MemoryWireOptions wire, string text)
    {
        string[] parts = text.Split(',');
        if (parts.Length > 2)
            throw new FormatException($"--reorder {text}: PART[,TIME]");
        wire.Reorder = ImpairmentText.Part("--reorder", parts[0]);
        if (parts.Length == 2)
            wire.ReorderDelayNanoseconds = ImpairmentText.Time("--reorder", parts[1]);
    }
}
