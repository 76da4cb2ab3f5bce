using Tunnel.EndToEnd.Targets;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Tunnel.EndToEnd;

/// <summary>
/// The test runner, and what stands behind the tunnel: a process lives in one network namespace, so a target in another one is this
/// program again, with other arguments.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        ["serve-http", var port] => HttpTargetProgram.RunAsync(int.Parse(port)),
        ["spoof", var datagrams, var first, var count] => SpoofedClientsProgram.Run(datagrams, int.Parse(first), int.Parse(count)),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
