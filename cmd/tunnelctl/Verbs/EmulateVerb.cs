using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Emulate;
using Tunnel.Links;
using Tunnel.Links.Emulation;
using Tunnel.Links.Memory;

namespace Tunnel.Ctl.Verbs;

/// <summary>emulate: a bad network between two interfaces, or in front of a UDP port.</summary>
internal sealed class EmulateVerb
{
    private const double LongestSeconds = 7 * 86_400;

    private const string Description = """
        A bad network to try things on: delay, jitter, loss, duplication, reordering, corruption, a rate. In each direction; loss
        alone or in bursts, a rate with a queue; and the same again with the same --seed and the same packets.
          --between A,B   a cable between two interfaces of this host (veth: the ends that lead here); needs CAP_NET_RAW.
                          Merged frames are cut first, so that faults concern packets; VLAN tags are not carried
          --udp LISTEN=TARGET   a UDP port that leads to another; needs nothing

        Examples:
          tunnelctl emulate --udp 127.0.0.1:7000=127.0.0.1:9999 --delay 20ms --loss 5%
          tunnelctl emulate --between veth0,veth1 --delay 40ms/10ms --burst 0.5%,25% --rate 50mbit/10mbit --queue 100ms
          tunnelctl emulate --between veth0,veth1 --jitter 5ms --reorder 1%,3ms --seconds 60 --json

        Ctrl-C ends it and prints the counts.

        Exit codes: 0 done, 2 usage, 4 no privilege, 6 no such interface, 7 the port is taken.
        """;

    private readonly Option<string?> _between = new("--between") { Description = "Two interfaces", HelpName = "A,B" };
    private readonly Option<string?> _udp = new("--udp") { Description = "ADDRESS:PORT to listen on and ADDRESS:PORT to lead to", HelpName = "LISTEN=TARGET" };
    private readonly Option<ulong> _seed = new("--seed") { Description = "What faults are drawn from", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _seconds = new("--seconds", "-s") { Description = "End after so long", DefaultValueFactory = _ => LongestSeconds };
    private readonly Option<bool> _json = new("--json") { Description = "The counts as JSON" };
    private readonly ImpairmentOptions _faults = new();

    public static Command Create()
    {
        var verb = new EmulateVerb();
        var command = new Command("emulate", Description) { verb._between, verb._udp, verb._seed, verb._seconds, verb._json };
        verb._faults.AddTo(command);
        command.SetAction(verb.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            (MemoryWireOptions there, MemoryWireOptions back) = _faults.Read(parsed);
            double seconds = parsed.GetValue(_seconds);
            if (!(seconds > 0 && seconds <= LongestSeconds))
                throw new FormatException($"--seconds {seconds}: more than 0, and a week at most");
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            end.CancelAfter(TimeSpan.FromSeconds(seconds));
            long start = Stopwatch.GetTimestamp();
            (PathCounters There, PathCounters Back) counts = (parsed.GetValue(_between), parsed.GetValue(_udp)) switch
            {
                ({ } pair, null) => await BridgeAsync(pair, there, back, parsed.GetValue(_seed), end.Token).ConfigureAwait(false),
                (null, { } pair) => await RelayAsync(pair, there, back, parsed.GetValue(_seed), end.Token).ConfigureAwait(false),
                _ => throw new FormatException("either --between A,B or --udp LISTEN=TARGET"),
            };
            var report = new EmulationReport(Stopwatch.GetElapsedTime(start).TotalSeconds, counts.There, counts.Back);
            if (parsed.GetValue(_json))
                report.PrintJson(Console.Out);
            else
                report.Print(Console.Out);
            return ExitCode.Success;
        }
        catch (FormatException e)
        {
            return Fail(ExitCode.Usage, e.Message);
        }
        catch (LinkException e)
        {
            return Fail(ExitCode.For(e.Fault), e.Message);
        }
        catch (SocketException e)
        {
            return Fail(e.SocketErrorCode == SocketError.AddressAlreadyInUse ? ExitCode.PortInUse : ExitCode.Failure, $"--udp: {e.Message}");
        }
    }

    private static async Task<(PathCounters There, PathCounters Back)> BridgeAsync(
        string pair, MemoryWireOptions there, MemoryWireOptions back, ulong seed, CancellationToken end)
    {
        if (pair.Split(',') is not [{ Length: > 0 } first, { Length: > 0 } second] || first == second)
            throw new FormatException($"--between {pair}: two interfaces with a comma between");
        using var bridge = new InterfaceBridge(first, second, there, back, seed);
        await Console.Error.WriteLineAsync($"carrying frames between {first} and {second}").ConfigureAwait(false);
        await Task.Delay(Timeout.Infinite, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return (bridge.There, bridge.Back);
    }

    private static async Task<(PathCounters There, PathCounters Back)> RelayAsync(
        string pair, MemoryWireOptions there, MemoryWireOptions back, ulong seed, CancellationToken end)
    {
        if (pair.Split('=') is not [var left, var right] || !IPEndPoint.TryParse(left, out IPEndPoint? listen)
            || !IPEndPoint.TryParse(right, out IPEndPoint? target) || target.Port == 0)
        {
            throw new FormatException($"--udp {pair}: ADDRESS:PORT=ADDRESS:PORT");
        }

        using var relay = new UdpRelay(listen, target, there, back, seed);
        await Console.Error.WriteLineAsync($"relaying {relay.LocalEndPoint} to {target}").ConfigureAwait(false);
        await relay.RunAsync(end).ConfigureAwait(false);
        return (relay.There, relay.Back);
    }

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
