using System.Globalization;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Where the card sits: what its slot carries, and which processors are near.</summary>
internal sealed class SlotTopic : PromptTopic
{
    private const string Pcie = "nic.pcie";
    private const string Numa = "nic.numa";
    private const string WhyPcie = "a card in a slot of too few lanes, or of an older generation, never reaches its speed";
    private const string WhyNuma = "memory of another node costs each packet a way between the processors";

    public override string Topic => "slot";

    public override string Title => "The card's slot";

    public override IReadOnlyList<string> Names => [Pcie, Numa];

    protected override IEnumerable<Finding> Look(CheckContext context) => [LookAtSlot(context), LookAtNode(context)];

    private static Finding LookAtSlot(CheckContext context)
    {
        if (context.Interface is not { } name)
            return Finding.Unknown(Pcie, context.NoInterface, WhyPcie);
        if (ReadLanes(context, "current") is not { } now || ReadLanes(context, "max") is not { } most)
            return Finding.Unknown(Pcie, $"{name} is no PCI card, or does not tell", WhyPcie);
        long speed = context.Files.Read($"/sys/class/net/{name}/speed").TryNumber(out long mbits, out _) ? mbits : 0;
        string text = string.Create(CultureInfo.InvariantCulture, $"{now.Transfers} GT/s x{now.Width} of at most {most.Transfers} GT/s x{most.Width}: {now.Megabits:0} Mbit/s");
        bool met = now.Megabits >= most.Megabits || speed > 0 && now.Megabits >= 2 * speed;
        return Finding.Of(Pcie, met, text, speed > 0 ? $"its most, or twice its {speed} Mbit/s" : "its most", WhyPcie, "lspci -vv | grep -E 'Ethernet|LnkCap:|LnkSta:'");
    }

    /// <summary>"8.0 GT/s PCIe" and "4".</summary>
    private static Lanes? ReadLanes(CheckContext context, string which)
    {
        string folder = $"/sys/class/net/{context.Interface}/device";
        string[] speed = context.Files.Read($"{folder}/{which}_link_speed").Words;
        if (speed.Length < 2 || speed[1] != "GT/s" || !double.TryParse(speed[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double transfers))
            return null;
        // 255 is what a slot says that does not know.
        bool told = context.Files.Read($"{folder}/{which}_link_width").TryNumber(out long width, out _) && width is > 0 and < 255;
        return told && transfers > 0 ? new Lanes(transfers, width) : null;
    }

    private static Finding LookAtNode(CheckContext context)
    {
        if (context.Files.Read("/sys/devices/system/node/online") is not { Text: { } online } || CpuList.ParseList(online) is not { Count: > 0 } nodes)
            return Finding.Unknown(Numa, context.Files.Read("/sys/devices/system/node/online").Problem ?? "the kernel does not tell its memory nodes", WhyNuma);
        if (nodes.Count == 1)
            return Finding.Good(Numa, "one memory node: all processors are near", "", WhyNuma);
        if (context.Interface is not { } name)
            return Finding.Unknown(Numa, context.NoInterface, WhyNuma);
        if (!context.Files.Read($"/sys/class/net/{name}/device/numa_node").TryNumber(out long node, out _) || node < 0
            || CpuList.ParseList(context.Files.Read($"/sys/devices/system/node/node{node}/cpulist").Text ?? "-") is not { } near)
        {
            return Finding.Unknown(Numa, $"{name} does not say which of {nodes.Count} memory nodes it is at", WhyNuma);
        }

        return JudgeProcesses(context, node, near);
    }

    /// <summary>A tunnel that may run anywhere will.</summary>
    private static Finding JudgeProcesses(CheckContext context, long node, IReadOnlyList<int> near)
    {
        string cores = context.Files.Read($"/sys/devices/system/node/node{node}/cpulist").Text!.Trim();
        string[] running = [.. TunnelProcesses.Of(context)];
        if (running.Length == 0)
            return Finding.Unknown(Numa, $"node {node}, processors {cores}; no tunnel runs here", WhyNuma);
        string[] away = [.. running.Where(p => AllowedOf(context, p) is not { } allowed || allowed.Except(near).Any())];
        string whose = away.Length == 0 ? ", and the tunnel's only" : $"; process {string.Join(", ", away)} may run elsewhere";
        string now = $"node {node}, processors {cores}{whose}";
        string command = $"taskset -acp {cores} {(away.Length == 0 ? "" : away[0])}";
        return Finding.Of(Numa, away.Length == 0, now, $"the tunnel on processors {cores}", WhyNuma, command);
    }

    private static IReadOnlyList<int>? AllowedOf(CheckContext context, string process)
    {
        const string label = "Cpus_allowed_list:";
        string? line = context.Files.Read($"/proc/{process}/status").Text?.Split('\n').FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal));
        return line is null ? null : CpuList.ParseList(line[label.Length..]);
    }

    /// <param name="Transfers">10^9 a second and lane.</param>
    /// <param name="Width">Lanes.</param>
    private sealed record Lanes(double Transfers, long Width)
    {
        /// <summary>Of payload and its headers: up to 5 GT/s ten bits carry eight, beyond 130 carry 128.</summary>
        public double Megabits => Transfers * 1000 * Width * (Transfers <= 5 ? 8.0 / 10 : 128.0 / 130);
    }
}
