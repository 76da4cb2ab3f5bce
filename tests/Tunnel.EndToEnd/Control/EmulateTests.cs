using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Control;

/// <summary>emulate in both its forms: what is bad about the network is what was asked for, and the tunnel carries files through it.</summary>
[Collection(nameof(EmulateTests))]
public class EmulateTests : EndToEndTest
{
    private const string First = "em0";
    private const string Second = "em1";

    [Fact(Timeout = Limit)]
    public async Task ATunnelOverUdpCarriesAFileThroughLossAndDelay()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        // Loopback would take a handful of long datagrams: too few to count lost ones among.
        await StartServerAsync(TunnelSettings.UdpServer(port).With("transport.kcp.mtu", 1350));
        (ChildProcess emulate, int relay) = await RelayAsync(port, "--delay", "20ms", "--loss", "5%", "--json");
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(relay).With("transport.kcp.mtu", 1350).WithSocks5());
        await client.ConnectedAsync();
        byte[] file = Payload.Bytes(1, 1 << 20);
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), "127.0.0.1", target.Port);
        Task sending = SendAsync(socket, file);
        byte[] back = new byte[file.Length];
        for (int have = 0, count; have < back.Length; have += count)
        {
            count = await socket.ReceiveAsync(back.AsMemory(have));
            Assert.NotEqual(0, count);
        }

        await sending;
        Assert.Equal(Convert.ToHexString(file), Convert.ToHexString(back));
        JsonElement report = await StopAsync(emulate);
        foreach (string way in (string[])["there", "back"])
        {
            JsonElement wire = report.GetProperty(way).GetProperty("wire");
            Assert.InRange(wire.GetProperty("lost").GetDouble() / wire.GetProperty("offered").GetDouble(), 0.02, 0.09);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task ATunnelBetweenInterfacesCarriesAFileThroughLossAndDelay()
    {
        Requires.Tool("curl");
        Namespaces hosts = await PcapPair.PrepareAsync(this, addresses: false);
        string middle = await PlugInAsync(hosts);
        ChildProcess emulate = StartProcess(middle, Binaries.Control, "emulate", "--between", $"{First},{Second}", "--delay", "20ms", "--loss", "5%", "--json");
        await emulate.LineAsync("carrying frames");
        await StartServerAsync(TunnelSettings.PcapServer().With("network.link", "afpacket"), hosts.Server);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(Namespaces.ServerIPv4).With("network.link", "afpacket").WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, 4 * Payload.MiB);
        JsonElement report = await StopAsync(emulate);
        JsonElement back = report.GetProperty("back").GetProperty("wire");
        Assert.InRange(back.GetProperty("lost").GetDouble() / back.GetProperty("offered").GetDouble(), 0.035, 0.065);
        Assert.True(back.GetProperty("delivered").GetInt64() > 2500, "merged frames were not cut into packets");
    }

    /// <summary>Plain TCP with its own offloads: merged frames arrive at the emulator and are cut, and everything still adds up.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(Namespaces.ServerIPv4)]
    [InlineData("[" + Namespaces.ServerIPv6 + "]")]
    public async Task TheKernelsOwnTcpGoesThrough(string server)
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this, addresses: false);
        string middle = await PlugInAsync(hosts);
        ChildProcess emulate = StartProcess(
            middle, Binaries.Control, "emulate", "--between", $"{First},{Second}", "--delay", "5ms", "--corrupt", "0.1%", "--reorder", "1%", "--json");
        await emulate.LineAsync("carrying frames");
        ToolResult result = await Tool.RunInAsync(
            hosts.Client, "curl", ["--silent", "--show-error", "--fail", "--globoff", $"http://{server}:{PcapPair.TargetPort}/1/{8 * Payload.MiB}"], Payload.HashAsync);
        Assert.Equal(Payload.Hash(1, 8 * Payload.MiB), result.Expect());
        JsonElement back = (await StopAsync(emulate)).GetProperty("back").GetProperty("wire");
        Assert.True(back.GetProperty("delivered").GetInt64() > 5000, "merged frames were not cut into packets");
        Assert.True(back.GetProperty("corrupted").GetInt64() > 0);
    }

    [Fact(Timeout = Limit)]
    public async Task EachDirectionHasItsOwnFaultsAndTheEndComesByItself()
    {
        int port = FreeUdpPort();
        (ChildProcess emulate, int relay) = await RelayAsync(port, "--loss", "100%/0", "--seconds", "1", "--json");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(new byte[10], new IPEndPoint(IPAddress.Loopback, relay));
        Assert.Equal(0, await emulate.ExitAsync());
        JsonElement there = Report(emulate).GetProperty("there").GetProperty("wire");
        Assert.Equal((1, 1), (there.GetProperty("offered").GetInt32(), there.GetProperty("lost").GetInt32()));
    }

    [Theory(Timeout = Limit)]
    [InlineData(ExitCode.Usage, "either --between", "--loss", "1%")]
    [InlineData(ExitCode.Usage, "--loss 5x", "--udp", "127.0.0.1:0=127.0.0.1:1", "--loss", "5x")]
    [InlineData(ExitCode.Usage, "--burst", "--udp", "127.0.0.1:0=127.0.0.1:1", "--burst", "1%")]
    [InlineData(ExitCode.Usage, "ADDRESS:PORT=ADDRESS:PORT", "--udp", "nonsense")]
    [InlineData(ExitCode.Usage, "two interfaces", "--between", "lo")]
    [InlineData(ExitCode.Network, "nope0", "--between", "nope0,nope1")]
    public async Task WhatCannotBeDoneSaysWhy(int code, string says, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, ["emulate", .. arguments]);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
    }

    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent));
    }

    private async Task<(ChildProcess Process, int Port)> RelayAsync(int target, params string[] faults)
    {
        ChildProcess emulate = StartProcess(null, Binaries.Control, ["emulate", "--udp", $"127.0.0.1:0=127.0.0.1:{target}", .. faults]);
        string line = await emulate.LineAsync("relaying ");
        return (emulate, IPEndPoint.Parse(line.Split(' ')[1]).Port);
    }

    private static async Task<JsonElement> StopAsync(ChildProcess emulate)
    {
        emulate.Interrupt();
        Assert.Equal(0, await emulate.ExitAsync());
        return Report(emulate);
    }

    private static JsonElement Report(ChildProcess emulate) =>
        JsonDocument.Parse(string.Join('\n', emulate.Lines.SkipWhile(l => l != "{").TakeWhile(l => !l.StartsWith("stop", StringComparison.Ordinal)))).RootElement;

    /// <summary>In the place of the cable between the hosts: two cables to a third namespace, which ends with the test.</summary>
    private async Task<string> PlugInAsync(Namespaces hosts)
    {
        string middle = hosts.Client + "m";
        Own(new Middle(middle));
        await IpAsync("-n", hosts.Client, "link", "delete", Namespaces.Interface);
        await IpAsync("netns", "add", middle);
        await IpAsync("link", "add", Namespaces.Interface, "netns", hosts.Client, "type", "veth", "peer", "name", First, "netns", middle);
        await IpAsync("link", "add", Namespaces.Interface, "netns", hosts.Server, "type", "veth", "peer", "name", Second, "netns", middle);
        foreach ((string host, string name) in new[] { (hosts.Client, Namespaces.Interface), (hosts.Server, Namespaces.Interface), (middle, First), (middle, Second) })
            await IpAsync("-n", host, "link", "set", name, "up");
        await hosts.AddAddressesAsync(hosts.Client);
        await hosts.AddAddressesAsync(hosts.Server);
        return middle;
    }

    private static async Task IpAsync(params string[] arguments) => (await Tool.RunAsync("ip", arguments)).Expect();

    private sealed class Middle(string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Namespaces.RemoveAsync(name);
    }
}
