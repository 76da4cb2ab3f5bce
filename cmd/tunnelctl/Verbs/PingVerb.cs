using System.CommandLine;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Ping;
using Tunnel.Links;

namespace Tunnel.Ctl.Verbs;

/// <summary>ping: round trips through the tunnel on three levels, and what is wrong when nothing answers.</summary>
internal static class PingVerb
{
    private const double LongestSeconds = 3600;

    private const string Description = """
        Round trips to a client's server, beside a running client and without disturbing it. Link, port and session are of its own.
          link     KCP's window probe and its answer, one datagram each way; a stock peer answers at its next flush,
                   an interval later
          session  a smux keepalive in a KCP segment, until it is acknowledged
          stream   a stream is opened, PING goes out, PONG comes back (not with the kcptun profile, which has no PING)
        When nothing answers it says what is wrong, as far as that can be told.

        Examples:
          tunnelctl ping --config /etc/tunnel/client.toml
          tunnelctl ping --config client.toml --count 100 --interval 0.1
          tunnelctl ping --config client.toml --json

        Exit codes: 0 something came back, 1 nothing did, 2 a wrong command line, 3 the file is wrong, 4 no privilege, 6 no route or name.
        """;

    public static Command Create()
    {
        var file = new Option<string>("--config", "-c") { Description = "The client's TOML file", HelpName = "FILE", Required = true };
        var count = new Option<int>("--count", "-n") { Description = "Rounds", DefaultValueFactory = _ => 5 };
        var interval = new Option<double>("--interval", "-i") { Description = "Seconds between rounds", DefaultValueFactory = _ => 1 };
        var timeout = new Option<double>("--timeout", "-t") { Description = "Seconds after which a round trip is lost", DefaultValueFactory = _ => 2 };
        var json = new Option<bool>("--json") { Description = "JSON instead of text" };
        count.Within(1, 1_000_000);
        interval.Within(0, LongestSeconds);
        timeout.Within(0.001, LongestSeconds);
        var command = new Command("ping", Description) { file, count, interval, timeout, json };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetRequiredValue(file),
            new PingOptions(
                parsed.GetValue(count), TimeSpan.FromSeconds(parsed.GetValue(interval)), TimeSpan.FromSeconds(parsed.GetValue(timeout))),
            parsed.GetValue(json),
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(string file, PingOptions options, bool json, CancellationToken cancel)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(
            b => Logging.Configure(b, new LogConfig(LogThreshold.Warning, LogFormat.Text), new LogLevelSwitch(LogThreshold.Warning)));
        try
        {
            ClientConfig config = ConfigFile.Require(ConfigLoader.LoadClient(file));
            var run = new PingRun(config, options, loggers.CreateLogger("tunnel"), json ? null : Console.Out);
            return Report(await run.RunAsync(cancel).ConfigureAwait(false), json);
        }
        catch (StartException e)
        {
            return Fail(e.ExitCode, e.Message);
        }
        catch (LinkException e)
        {
            return Fail(ExitCode.For(e.Fault), e.Message);
        }
        catch (SocketException e)
        {
            return Fail(ExitCode.Network, $"the server's name does not resolve: {e.Message} (server.address in {file})");
        }
    }

    private static int Report(PingReport report, bool json)
    {
        if (json)
            report.PrintJson(Console.Out);
        else
            report.Print(Console.Out);
        foreach ((int index, string problem) in report.Problems.Index())
            Console.Error.WriteLine(index == 0 ? problem : $"  {problem}");
        return report.Reached ? ExitCode.Success : ExitCode.Failure;
    }

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
