using System.Globalization;
using System.Text.RegularExpressions;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>This project's binaries over one of its links.</summary>
/// <param name="name">In tables.</param>
/// <param name="bin">The folder of the published binaries.</param>
/// <param name="link">network.link.</param>
/// <param name="conn">transport.conn.</param>
/// <param name="keys">More TOML for both ends.</param>
internal sealed partial class Ours(string name, string bin, string link, int conn = 1, string keys = "") : Contender(name)
{
    private const int TunnelPort = 9999;
    private const int ForwardPort = 7000;

    /// <summary>Where both ends show themselves, each in its namespace.</summary>
    public const string DebugAddress = "127.0.0.1:6060";

    /// <summary>Thousands of held streams over one session are part of what is measured.</summary>
    private const string Caps = "max_streams_per_session = 16384\nmax_streams_total = 16384\n";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Every session has a link of its own to open.</summary>
    private static readonly TimeSpan StartTimeoutEach = TimeSpan.FromSeconds(0.5);

    public override ContenderKind Kind => ContenderKind.Ours;

    public override bool CountsSessions => true;

    public override bool ShowsItself => HasDebug;

    /// <summary>With [debug].</summary>
    public bool HasDebug { get; init; }

    public override async Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        int sessions = setup.Sessions ?? conn;
        (string client, string server) = await WriteFilesAsync(setup, sessions, cancel).ConfigureAwait(false);
        LabNetwork network = setup.Network;
        LabProcess serving = LabProcess.Start(network.Server, Path.Combine(bin, "tunnel-server"), "--config", server);
        LabProcess? asking = null;
        try
        {
            // What a client says before there is a server is lost, and it says it again.
            await serving.WaitForAsync("listens on", StartTimeout, cancel).ConfigureAwait(false);
            asking = LabProcess.Start(network.Client, Path.Combine(bin, "tunnel-client"), "--config", client);
            await WaitUntilUpAsync(asking, serving, sessions, cancel).ConfigureAwait(false);
            return new RunningContender($"127.0.0.1:{ForwardPort}", asking, serving);
        }
        catch
        {
            if (asking is not null)
                await asking.DisposeAsync().ConfigureAwait(false);
            await serving.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What both ends said about their losses when they ended.</summary>
    public static Losses ReadLosses(RunningContender ended) => new(
        Sum(Retransmissions(), ended), Sum(KernelDrops(), ended));

    /// <summary>Whichever of the two it is that says nothing: the other may have said why.</summary>
    private static async Task WaitUntilUpAsync(LabProcess asking, LabProcess serving, int sessions, CancellationToken cancel)
    {
        try
        {
            await asking.WaitForAsync("is up", StartTimeout + sessions * StartTimeoutEach, cancel, times: sessions).ConfigureAwait(false);
        }
        catch (LabException e)
        {
            throw new LabException($"{e.Message}\nmeanwhile the server printed:\n{serving.Output}");
        }
    }

    private async Task<(string Client, string Server)> WriteFilesAsync(ContenderSetup setup, int sessions, CancellationToken cancel)
    {
        string debug = !HasDebug ? "" : $"[debug]\npprof = \"{DebugAddress}\"\n";
        string common = $"[network]\nlink = \"{link}\"\n{debug}[transport]\nconn = {sessions}\n[transport.kcp]\nkey = \"bench\"\n{Caps}{keys}";
        string server = Path.Combine(setup.Folder, "server.toml"), client = Path.Combine(setup.Folder, "client.toml");
        await File.WriteAllTextAsync(server, $"[listen]\nport = {TunnelPort}\n{common}", cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(
            client,
            $"[server]\naddress = \"{setup.Network.ServerAddress}:{TunnelPort}\"\n[[forward]]\nlisten = \"127.0.0.1:{ForwardPort}\"\n"
            + $"target = \"127.0.0.1:{setup.Port}\"\n{common}",
            cancel).ConfigureAwait(false);
        return (client, server);
    }

    private static long Sum(Regex pattern, RunningContender ended) => ended.Processes
        .SelectMany(p => pattern.Matches(p.Output))
        .SelectMany(m => m.Groups.Values.Skip(1))
        .Sum(g => long.Parse(g.ValueSpan, CultureInfo.InvariantCulture));

    [GeneratedRegex("again ([0-9]+) fast ([0-9]+) early ([0-9]+) timeout")]
    private static partial Regex Retransmissions();

    [GeneratedRegex("kernel drops ([0-9]+)")]
    private static partial Regex KernelDrops();
}

/// <summary>KCP segments sent again and packets that the kernels dropped, both ends together.</summary>
internal sealed record Losses(long Retransmissions, long KernelDrops);
