using System.Globalization;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>
/// The ports that the kernel must not give to connections of its own: the tunnel's ports are no socket's, so the kernel thinks them free.
/// </summary>
internal sealed class ReservedPortsKnob : Knob
{
    private const string Path = "/proc/sys/net/ipv4/ip_local_reserved_ports";

    public override string Name => "net.ipv4.ip_local_reserved_ports";

    public override string Why => "the kernel would give a port of the server's to a connection of its own, whose packets the firewall rules then drop";

    public override Reading Read(CheckContext context) => context.Files.Read(Path);

    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (now.Text is null)
            return Judgement.Unknown(now.Problem!);
        string text = now.Text.Trim();
        if (CpuList.ParseList(text, most: 65536) is not { } reserved)
            return Judgement.Unknown($"\"{text}\" is not a list of ports");
        if (context.File?.Server is not { } server)
            return new Judgement(true, "a server's port", text) { Matters = false };
        int last = server.Port + server.Ports - 1;
        bool isReserved = Enumerable.Range(server.Port, server.Ports).All(reserved.Contains);
        if (isReserved || IsOutsideOfRange(context, server.Port, last))
            return new Judgement(true, "the server's ports, or outside of ip_local_port_range", text) { Matters = isReserved };
        string ports = string.Create(CultureInfo.InvariantCulture, $"{server.Port}{(last == server.Port ? "" : $"-{last}")}");
        return new Judgement(false, $"with {ports}", text.Length == 0 ? ports : $"{text},{ports}");
    }

    public override string Command(CheckContext context, string value) => $"sysctl -w {Name}={value}";

    public override string? Write(CheckContext context, string value) => context.Files.Write(Path, value);

    public override string Show(CheckContext context, string value) => value.Length == 0 ? "none" : value;

    /// <summary>Outside of the range as it is, and as the same profile would have it: --apply sets both at one go.</summary>
    private static bool IsOutsideOfRange(CheckContext context, int first, int last)
    {
        Reading now = SysctlKnobs.PortRange.Read(context);
        return new[] { now, new Reading(SysctlKnobs.PortRange.Judge(context, now).Set, null) }
            .All(r => r.TryNumbers(2, out long[] range, out _) && (last < range[0] || first > range[1]));
    }
}
