using System.Globalization;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>
/// The ports that the kernel must not give to connections of its own: the tunnel's port is no socket's, so the kernel thinks it free.
/// </summary>
internal sealed class ReservedPortsKnob : Knob
{
    private const string Path = "/proc/sys/net/ipv4/ip_local_reserved_ports";

    public override string Name => "net.ipv4.ip_local_reserved_ports";

    public override string Why => "the kernel would give the server's port to a connection of its own, whose packets the firewall rules then drop";

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
        if (reserved.Contains(server.Port) || IsOutsideOfRange(context, server.Port))
            return new Judgement(true, "the server's port, or outside of ip_local_port_range", text) { Matters = reserved.Contains(server.Port) };
        string port = server.Port.ToString(CultureInfo.InvariantCulture);
        return new Judgement(false, $"with {port}", text.Length == 0 ? port : $"{text},{port}");
    }

    public override string Command(CheckContext context, string value) => $"sysctl -w {Name}={value}";

    public override string? Write(CheckContext context, string value) => context.Files.Write(Path, value);

    public override string Show(CheckContext context, string value) => value.Length == 0 ? "none" : value;

    /// <summary>Outside of the range as it is, and as the same profile would have it: --apply sets both at one go.</summary>
    private static bool IsOutsideOfRange(CheckContext context, int port)
    {
        Reading now = SysctlKnobs.PortRange.Read(context);
        return new[] { now, new Reading(SysctlKnobs.PortRange.Judge(context, now).Set, null) }
            .All(r => r.TryNumbers(2, out long[] range, out _) && (port < range[0] || port > range[1]));
    }
}
