using System.CommandLine;

namespace Tunnel.Ctl.Demo;

/// <summary>
/// demo: the main job, for real, in some seconds. As root: two network namespaces joined by a cable, tunnel-server in one and
/// tunnel-client in the other over raw packets, an HTTP download and upload through SOCKS5 with hashes compared. Otherwise the same
/// over UDP on loopback.
/// </summary>
internal static class DemoVerb
{
    private const int DefaultMegabytes = 64;
    private const int MostMegabytes = 1 << 16;

    private const string Description = """
        Carry real HTTP traffic through both binaries, and compare what comes. In network namespaces as root, else over UDP
        on loopback.

        Exit codes: 0 what came is what was sent, 1 it is not, or the trial could not be made, 2 a wrong command line.

        Examples:
          tunnelctl demo
          tunnelctl demo --size 256
          tunnelctl demo --size 16 --json
        """;

    public static Command Create()
    {
        var size = new Option<int>("--size") { Description = "MiB to carry each way", DefaultValueFactory = _ => DefaultMegabytes };
        size.Within(1, MostMegabytes);
        var json = new Option<bool>("--json") { Description = "The result as JSON" };
        var command = new Command("demo", Description) { size, json, CreateTarget(), CreateLoad() };
        command.SetAction((parsed, cancel) => DemoRun.RunAsync(parsed.GetValue(size), parsed.GetValue(json), cancel));
        return command;
    }

    /// <summary>The HTTP server that the demo runs behind the tunnel, as a process of its own in the server's namespace.</summary>
    private static Command CreateTarget()
    {
        var port = new Option<int>("--port") { Required = true };
        var command = new Command("target") { port };
        command.Hidden = true;
        command.SetAction((parsed, cancel) => DemoTarget.RunAsync(parsed.GetValue(port), cancel));
        return command;
    }

    /// <summary>The HTTP client that the demo runs in front of the tunnel, as a process of its own in the client's namespace.</summary>
    private static Command CreateLoad()
    {
        var proxy = new Option<int>("--socks") { Required = true };
        var target = new Option<int>("--port") { Required = true };
        var size = new Option<int>("--size") { Required = true };
        var command = new Command("load") { proxy, target, size };
        command.Hidden = true;
        command.SetAction((parsed, cancel) => DemoLoad.RunAsync(parsed.GetValue(proxy), parsed.GetValue(target), parsed.GetValue(size), cancel));
        return command;
    }
}
