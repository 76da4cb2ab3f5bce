using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Congestion control of the kernel's own TCP, and what paces it.</summary>
internal sealed class CongestionTopic() : KnobTopic("congestion", "Congestion control of the sockets at both ends", SysctlKnobs.Congestion)
{
    private const string Available = "/proc/sys/net/ipv4/tcp_available_congestion_control";

    protected override IEnumerable<Finding> Look(CheckContext context) => base.Look(context).Select(f => f.Command is null ? f : Mend(context, f));

    /// <summary>What the kernel has not loaded cannot be chosen.</summary>
    private static Finding Mend(CheckContext context, Finding finding)
    {
        string[] loaded = context.Files.Read(Available).Words;
        bool isControl = finding.Name == SysctlKnobs.Congestion[0].Name;
        return isControl && loaded.Length > 0 && !loaded.Contains("bbr")
            ? finding with { Is = $"{finding.Is} (loaded: {string.Join(' ', loaded)})", Command = $"modprobe tcp_bbr && {finding.Command}" }
            : finding;
    }
}
