using System.Globalization;

namespace Tunnel.Ctl.Ping;

/// <summary>From what was seen to what is wrong, as far as it can be told, and what to do.</summary>
internal static class PingDiagnosis
{
    /// <summary>One sentence or two each, the most telling first; empty when nothing is wrong.</summary>
    public static IReadOnlyList<string> Explain(PingEvidence seen) =>
        seen.Answered || seen.Acknowledged ? [.. WhenThere(seen)] : [WhenSilent(seen), .. Besides(seen), .. Suspects(seen)];

    private static IEnumerable<string> WhenThere(PingEvidence seen)
    {
        if (seen.Resets > 0)
        {
            yield return Text($"{seen.Server}'s kernel sends RST beside the tunnel ({seen.Resets} seen): its firewall rules are missing. ")
                + "A NAT or a stateful firewall on the way will close the flow: set network.firewall = true in the server's file, or install the rules by hand";
        }

        if (!seen.Answered)
            yield return WithoutPong(seen);
    }

    private static string WithoutPong(PingEvidence seen) =>
        $"{seen.Server} acknowledges what is sent, so link, key and guard are right, but PING gets no PONG"
        + (seen.Refusal.Length == 0 ? "" : $" ({seen.Refusal})")
        + ": compare transport.header, transport.profile and smux_version at both ends";

    private static string WhenSilent(PingEvidence seen) => seen switch
    {
        { SendErrors: > 0, Frames: 0, Resets: 0 } =>
            Text($"the kernel did not take what was sent (frames: {seen.SendErrors}): is the interface up, and its queue not full?"),
        { DroppedByFec: > 0 } =>
            $"{seen.Server} sends forward error correction packets: turn FEC off there, or on at both ends",
        { DroppedByGuard: > 0 } => Text($"{seen.Server} answers, but {seen.DroppedByGuard} of its datagrams have another guard: compare ")
            + "guard, guard_magic, guard_window and key under transport.kcp at both ends, and the clocks" + Clock(seen),
        { DroppedByCipher: > 0 } => Text($"{seen.Server} answers, but {seen.DroppedByCipher} of its datagrams do not open: compare ")
            + "transport.kcp.key and transport.kcp.block at both ends (and transport.profile: kcptun derives keys in another way)",
        { Resets: > 0 } => Text($"{seen.Server} refuses the port with RST ({seen.Resets} seen): its kernel, where no tunnel-server runs, or a firewall before it. ")
            + "Is the server running there, on this port, with the same kind of link, and may the port be reached from here? "
            + "(With another key or guard it would be silent: its firewall rules keep the kernel from answering.)",
        { PortUnreachable: true } => $"{seen.Server} refuses the UDP port as unreachable: its kernel, where nobody listens, or a firewall before it. "
            + "Is tunnel-server running there, on this port, with network.link = \"udp\", and may the port be reached from here?",
        { Unreachable.Length: > 0 } => $"{seen.Server} cannot be reached: {seen.Unreachable}",
        { Frames: > 0 } => Text($"what came from {seen.Server} (frames: {seen.Frames}) does not belong to this session: is something else on that port?"),
        { HostAnswersEcho: true } =>
            $"nothing comes back from {seen.Server}, though its host is up. A tunnel server is silent to whom it does not know, so it is one of these:",
        { HostAnswersEcho: false } => $"nothing comes back from {seen.Server}, and its host answers no echo request either. Is the address right, is the host up? "
            + "Many hosts and clouds drop echo requests, so it may as well be one of these:",
        _ => $"nothing comes back from {seen.Server}. Is tunnel-server running there? If so, it is one of these:",
    };

    /// <summary>What silence alone leaves, the likeliest first; nothing where something was heard.</summary>
    private static IEnumerable<string> Suspects(PingEvidence seen)
    {
        if (HasTrace(seen))
            yield break;
        yield return "key: are transport.kcp.key and block the same at both ends?";
        yield return seen.HasGuard
            ? $"guard: it is on here; is it there, too, with the same guard_magic and guard_window, and do the clocks agree{Clock(seen)}?"
            : "guard: it is off here; is it there, too?";
        yield return $"firewall: does one drop the {(IsUdp(seen) ? "UDP" : "TCP")} port, on the way there or back? "
            + "If the server's log says that a session began, its answers are lost";
        if (!IsUdp(seen))
            yield return "a NAT or stateful firewall on the way that wants to see a handshake: network.tcp.handshake = true at both ends";
        yield return $"link: does the server listen on {(IsUdp(seen) ? "udp" : "raw TCP segments (auto, afpacket or pcap)")}, too?";
    }

    private static bool HasTrace(PingEvidence seen) =>
        seen.Frames > 0 || seen.Resets > 0 || seen.SendErrors > 0 || seen.PortUnreachable || seen.Unreachable.Length > 0;

    private static bool IsUdp(PingEvidence seen) => seen.Link == "udp";

    /// <summary>What may explain silence and is no silence itself.</summary>
    private static IEnumerable<string> Besides(PingEvidence seen)
    {
        if (seen.HasGuard && seen.ClockDifferenceSeconds is { } difference && Math.Abs(difference) > seen.ClockToleranceSeconds)
        {
            yield return Text($"the server's clock is {Math.Abs(difference):0.#} s {(difference > 0 ? "ahead" : "behind")}: ")
                + Text($"more than the {seen.ClockToleranceSeconds:0.#} s that the guard allows. Set both clocks (chrony, systemd-timesyncd)");
        }
    }

    private static string Clock(PingEvidence seen) => seen is { HasGuard: true, ClockDifferenceSeconds: { } difference }
        ? Text($" (the server's is {difference:+0.0;-0.0;0.0} s off)")
        : "";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
