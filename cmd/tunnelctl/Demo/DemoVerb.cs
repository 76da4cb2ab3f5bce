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

    public static Command Create()
    {
        var size = new Option<int>("--size") { Description = "MiB to carry each way", DefaultValueFactory = _ => DefaultMegabytes };
        var command = new Command("demo", "Carry real HTTP traffic through both binaries: in network namespaces as root, else over UDP on loopback")
        {
            size, CreateTarget(), CreateLoad(),
        };
        command.SetAction((parsed, cancel) => DemoRun.RunAsync(parsed.GetValue(size), cancel));
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
