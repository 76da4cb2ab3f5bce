using Tunnel.App.Hosting;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The configuration file, by itself and against this host.</summary>
internal sealed class FileTopic : PromptTopic
{
    /// <summary>What a process holds besides its connections: libraries, links, listeners, the runtime's own.</summary>
    public const int OtherDescriptors = KernelLimits.OtherDescriptors;

    private const string Loads = "file.loads";
    private const string KeyFile = "file.key_file";
    private const string Caps = "file.caps";
    private const string Mtu = "file.mtu";
    private const string Backlog = "file.backlog";
    private const string WhyLoads = "a file with problems does not start";
    private const string WhyKey = "whoever reads the key is in the tunnel";
    private const string WhyCaps = "each connection takes a descriptor";
    private const string WhyMtu = "a datagram that does not fit is cut up or lost";
    private const string WhyBacklog = "the kernel cuts longer backlogs without a word";

    public override string Topic => "file";

    public override string Title => "Configuration";

    public override IReadOnlyList<string> Names => [Loads, KeyFile, Caps, Mtu, Backlog];

    protected override IEnumerable<Finding> Look(CheckContext context)
    {
        if (context.File is not { } file)
            return Names.Zip([WhyLoads, WhyKey, WhyCaps, WhyMtu, WhyBacklog], (n, w) => Finding.Unknown(n, "no file: give one with --config", w));
        if (file.Transport is null)
        {
            Finding broken = Finding.Must(Loads, false, string.Join('\n', file.Problems), "no problems", WhyLoads);
            return [broken, .. Names.Skip(1).Zip([WhyKey, WhyCaps, WhyMtu, WhyBacklog], (n, w) => Finding.Unknown(n, "the file has problems", w))];
        }

        return [LookAtLoading(file), LookAtKey(context, file), LookAtCaps(context, file), LookAtMtu(context, file), LookAtBacklog(context, file)];
    }

    private static Finding LookAtLoading(CheckFile file)
    {
        string end = file.Server is null ? "a client's" : "a server's";
        return Finding.Of(Loads, file.Warnings.Count == 0, file.Warnings.Count == 0 ? $"{end}, no problems" : string.Join('\n', file.Warnings), "no warnings", WhyLoads);
    }

    /// <summary>Of the file with the key, which is this one when the key stands in it.</summary>
    private static Finding LookAtKey(CheckContext context, CheckFile file)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        try
        {
            string path = file.Transport!.Kcp.KeyFile ?? file.Path;
            UnixFileMode mode = OperatingSystem.IsLinux() ? File.GetUnixFileMode(path) : default;
            // A service that is not root must own what only the owner may read.
            string owner = LimitsTopic.UnitUser(context, file.Server is null ? "client" : "server", file.Path) is { } user ? $"chown {user} {path} && " : "";
            return Finding.Of(KeyFile, (mode & others) == 0, $"{path}: {Convert.ToString((int)mode, 8)}", "600", WhyKey, $"{owner}chmod 600 {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Finding.Unknown(KeyFile, e.Message, WhyKey);
        }
    }

    private static Finding LookAtCaps(CheckContext context, CheckFile file)
    {
        (int cap, string key) = file.Server is { } server
            ? (server.Transport.Kcp.MaxStreamsTotal, "transport.kcp.max_streams_total")
            : (file.Client!.Listeners.MaxConnections, "listeners.max_connections");
        (long? limit, string whose) = LimitsTopic.HardLimit(context);
        if (limit is not { } hard)
            return Finding.Unknown(Caps, context.Files.Read("/proc/self/limits").Problem ?? "/proc/self/limits has no such line", WhyCaps);
        bool met = KernelLimits.DescriptorProblem((ulong)hard, cap, key) is null;
        return Finding.Of(
            Caps, met, $"{key} = {cap}, hard limit {ProcLimit.Show(hard)} ({whose})", $"a limit of {cap + OtherDescriptors} or more", WhyCaps,
            $"ulimit -Hn {cap + OtherDescriptors}");
    }

    private static Finding LookAtMtu(CheckContext context, CheckFile file)
    {
        bool v6 = context.ServerAddresses is [{ AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 }, ..];
        if (file.Transport!.Kcp.Mtu is not { } mtu)
            return Finding.Good(Mtu, "\"auto\": the tunnel finds out what the path carries", "", WhyMtu);
        int needed = PacketSize.Of(file.Network!, file.Transport.Kcp, mtu, v6);
        if (context.Route is not { } route)
            return Finding.Unknown(Mtu, $"needs {needed} bytes; the interface is not known", WhyMtu);
        string now = $"transport.kcp.mtu = {mtu}: packets of {needed} bytes, {route.Interface} takes {route.Mtu}";
        string should = $"{route.Mtu} or less, and the path's own limit";
        string command = $"# transport.kcp.mtu = {Math.Max(128, mtu - (needed - route.Mtu))} in {file.Path}";
        return Finding.Must(Mtu, needed <= route.Mtu, now, should, WhyMtu, command);
    }

    private static Finding LookAtBacklog(CheckContext context, CheckFile file)
    {
        if (file.Server is { Reverse.Allow.Count: 0 })
            return Finding.Good(Backlog, "[reverse] lets no client have this server listen for it", "", WhyBacklog);
        if ((file.Client?.Listeners ?? file.Server!.Listeners).Backlog is not { } backlog)
            return Finding.Good(Backlog, "\"max\": as long as net.core.somaxconn", "", WhyBacklog);
        return SysctlKnobs.Somaxconn.Read(context).TryNumber(out long most, out string problem)
            ? Finding.Of(Backlog, backlog <= most, $"{backlog}, net.core.somaxconn is {most}", $"{most} or less", WhyBacklog, $"sysctl -w net.core.somaxconn={backlog}")
            : Finding.Unknown(Backlog, problem, WhyBacklog);
    }
}
