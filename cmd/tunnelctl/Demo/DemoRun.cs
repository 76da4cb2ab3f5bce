using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Lab;

namespace Tunnel.Ctl.Demo;

/// <summary>One run of the demo, from the network to the table.</summary>
internal static partial class DemoRun
{
    private const int TunnelPort = 9999;

    public static async Task<int> RunAsync(int megabytes, bool json, CancellationToken cancel)
    {
        TextWriter progress = json ? Console.Error : Console.Out;
        try
        {
            await using LabNetwork network = await OpenNetworkAsync(progress, cancel).ConfigureAwait(false);
            DemoResult result = await CarryAsync(network, megabytes, progress, cancel).ConfigureAwait(false);
            if (json)
                Console.Out.WriteLine(JsonText.Write(result));
            else
                result.Print(Console.Out);
            return result.IsWhole ? 0 : 1;
        }
        catch (LabException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private static async Task<LabNetwork> OpenNetworkAsync(TextWriter progress, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            await progress.WriteLineAsync("not root: the demo runs over UDP on loopback; as root it would run over raw packets between two namespaces").ConfigureAwait(false);
            return LabNetwork.Loopback();
        }

        await progress.WriteLineAsync("two network namespaces joined by a veth cable; raw TCP segments injected and captured below the TCP stack").ConfigureAwait(false);
        return await LabNetwork.CreateAsync("demo", cancel).ConfigureAwait(false);
    }

    private static async Task<DemoResult> CarryAsync(LabNetwork network, int megabytes, TextWriter progress, CancellationToken cancel)
    {
        string folder = Directory.CreateTempSubdirectory("tunnel-demo-").FullName;
        try
        {
            var ports = new DemoPorts(network.IsRaw ? TunnelPort : FreePort(), FreePort(), FreePort());
            WriteConfigurations(folder, network, ports);
            string bin = AppContext.BaseDirectory;
            string self = Environment.ProcessPath!;
            await using LabProcess target = LabProcess.Start(network.Server, self, "demo", "target", "--port", $"{ports.Target}");
            await using LabProcess server = LabProcess.Start(
                network.Server, Path.Combine(bin, "tunnel-server"), "--config", Path.Combine(folder, "server.toml"));
            // The server first: one that cannot start says why, while its client would only wait for it, and what that says meanwhile is lost.
            await server.WaitForAsync("listens on", cancel).ConfigureAwait(false);
            await using LabProcess client = LabProcess.Start(
                network.Client, Path.Combine(bin, "tunnel-client"), "--config", Path.Combine(folder, "client.toml"));
            await client.WaitForAsync("is up", cancel).ConfigureAwait(false);
            await progress.WriteLineAsync("the session is up; HTTP through SOCKS5:").ConfigureAwait(false);
            string load = await LabProcess.RunAsync(
                network.Client, cancel, self, "demo", "load", "--socks", $"{ports.Socks}", "--port", $"{ports.Target}", "--size", $"{megabytes}")
                .ConfigureAwait(false);
            await client.StopAsync().ConfigureAwait(false);
            await server.StopAsync().ConfigureAwait(false);
            double seconds = client.ProcessorSeconds + server.ProcessorSeconds;
            return new DemoResult(ParseTransfers(load), Sum(Retransmits(), client, server), Sum(KernelDrops(), client, server), seconds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WriteConfigurations(string folder, LabNetwork network, DemoPorts ports)
    {
        string key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        string link = network.IsRaw ? "" : "[network]\nlink = \"udp\"\n";
        string common = $"{link}[transport.kcp]\nkey = \"{key}\"\n";
        File.WriteAllText(Path.Combine(folder, "server.toml"), $"[listen]\nport = {ports.Tunnel}\n{common}");
        File.WriteAllText(
            Path.Combine(folder, "client.toml"),
            $"[server]\naddress = \"{network.ServerAddress}:{ports.Tunnel}\"\n[[socks5]]\nlisten = \"127.0.0.1:{ports.Socks}\"\n{common}");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static List<DemoTransfer> ParseTransfers(string output)
    {
        var transfers = new List<DemoTransfer>();
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] f = line.Split(' ');
            transfers.Add(new DemoTransfer(
                f[0], long.Parse(f[1], CultureInfo.InvariantCulture), double.Parse(f[2], CultureInfo.InvariantCulture), f[3] == f[4].Trim()));
        }

        return transfers;
    }

    /// <summary>Adds up the numbers that a pattern finds in what both ends logged at their end.</summary>
    private static long Sum(Regex pattern, params LabProcess[] processes)
    {
        long sum = 0;
        foreach (LabProcess process in processes)
        {
            MatchCollection matches = pattern.Matches(process.Output);
            if (matches.Count == 0)
                throw new LabException($"the tunnel did not say what it did when it ended:\n{process.Output}");
            foreach (Match match in matches)
            {
                for (int i = 1; i < match.Groups.Count; i++)
                    sum += long.Parse(match.Groups[i].ValueSpan, CultureInfo.InvariantCulture);
            }
        }

        return sum;
    }

    [GeneratedRegex("again ([0-9]+) fast ([0-9]+) early ([0-9]+) timeout")]
    private static partial Regex Retransmits();

    [GeneratedRegex("kernel drops ([0-9]+)")]
    private static partial Regex KernelDrops();

    private sealed record DemoPorts(int Tunnel, int Socks, int Target);
}
