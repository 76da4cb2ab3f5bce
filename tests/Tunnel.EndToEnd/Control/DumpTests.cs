using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>dump beside a running pair, and over what it kept.</summary>
[Collection(nameof(DumpTests))]
public class DumpTests : EndToEndTest
{
    [Theory(Timeout = Limit)]
    [InlineData("pcap", true)]
    [InlineData("afpacket", true)]
    [InlineData("afpacket", false)]
    public async Task ARunningPairIsPrintedAndReadBackTheSame(string link, bool guard)
    {
        PcapPair pair = await PcapPair.StartAsync(
            this, Namespaces.ServerIPv4, s => s.With("network.link", link).With("transport.kcp.guard", guard),
            c => c.With("network.link", link).With("transport.kcp.guard", guard));
        string config = Write(TunnelSettings.PcapServer().With("network.link", link).With("transport.kcp.guard", guard));
        ChildProcess dump = StartProcess(
            pair.Hosts.Server, Binaries.Control, "dump", "-i", Namespaces.Interface, "--config", config, "--write", PathOf("kept.pcapng"));
        await dump.LineAsync("listening on");
        await pair.Curl.DownloadAsync(PcapPair.Target, 200_000);
        await dump.LineAsync($"{PcapPair.Target})");
        await dump.LineAsync("smux fin");
        dump.Interrupt();
        Assert.Equal(0, await dump.ExitAsync());
        await dump.LineAsync(", 0 dropped by the kernel");

        ToolResult read = await Tool.RunAsync(Binaries.Control, "dump", "--read", PathOf("kept.pcapng"), "--config", config);
        string[] printed = [.. dump.Lines.Where(l => !l.StartsWith("listening", StringComparison.Ordinal) && !l.Contains("dropped by", StringComparison.Ordinal))];
        Assert.Equal(printed, read.Expect().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("sealed,", read.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("guard refuses", read.Output, StringComparison.Ordinal);
        (await Tool.RunAsync("tcpdump", "-n", "-r", PathOf("kept.pcapng"))).Expect();
        // Whoever has seen enough leaves, and nothing goes on behind his back.
        string endless = $"while cat {PathOf("kept.pcapng")}; do :; done | {Binaries.Control} dump --read - --config {config} 2> /dev/null | head -n 1";
        Assert.Equal(printed[0], (await Tool.RunAsync("sh", "-c", endless)).Expect().Trim());
    }

    [Fact(Timeout = Limit)]
    public async Task TheUdpLinkOnLoopbackIsSeenAndFiltered()
    {
        Requires.Root();
        int port = FreeUdpPort();
        await StartServerAsync(TunnelSettings.UdpServer(port));
        ChildProcess dump = StartProcess(
            null, Binaries.Control, "dump", "-i", "lo", "--config", Write(TunnelSettings.UdpServer(port)), "--only", "syn", "--count", "1");
        await dump.LineAsync("listening on");
        await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5());
        Assert.Equal(0, await dump.ExitAsync());
        Assert.Contains(dump.Lines, l => l.Contains("smux syn stream", StringComparison.Ordinal));
        Assert.Contains(dump.Lines, l => l.Contains("1 shown", StringComparison.Ordinal));
    }

    /// <summary>Ctrl-C once more, and once more, before it has said its counts.</summary>
    [Fact(Timeout = Limit)]
    public async Task ImpatienceDoesNoHarm()
    {
        Requires.Root();
        ChildProcess dump = StartProcess(null, Binaries.Control, "dump", "-i", "lo", "--port", "1");
        await dump.LineAsync("listening on");
        while (!dump.HasExited)
        {
            dump.Interrupt();
            await Task.Delay(5);
        }

        Assert.Equal(0, await dump.ExitAsync());
        Assert.EndsWith("0 dropped by the kernel", dump.Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task AFileIsReadWithItsKeyAlone()
    {
        File.WriteAllText(PathOf("key"), "correct horse battery staple\n");
        string recording = Repository.PathOf("tests/Tunnel.Tests/Vectors/captures/fork-guard-aes-128-gcm.pcap");
        ToolResult result = await Tool.RunAsync(Binaries.Control, "dump", "-r", recording, "--key-file", PathOf("key"), "--only", "syn");
        Assert.Contains("smux syn stream", result.Expect(), StringComparison.Ordinal);
        ToolResult again = await Tool.RunAsync(Binaries.Control, "dump", "-r", recording, "-w", PathOf("key"));
        Assert.Equal(ExitCode.Failure, again.ExitCode);
        ToolResult json = await Tool.RunAsync(Binaries.Control, "dump", "-r", recording, "--json", "--count", "2");
        Assert.Equal(2, json.Expect().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory(Timeout = Limit)]
    [InlineData(ExitCode.Usage, "--only", "--only", "nonsense")]
    [InlineData(ExitCode.Usage, "--direction", "--direction", "up", "--read", "/dev/null")]
    [InlineData(ExitCode.Failure, "empty", "--read", "/dev/null")]
    [InlineData(ExitCode.Network, "nope0", "-i", "nope0")]
    [InlineData(ExitCode.Configuration, "as a client's file", "--config", "/nowhere.toml")]
    public async Task WhatCannotBeDoneSaysWhy(int code, string says, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, ["dump", .. arguments]);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
    }

    private string Write(TunnelSettings settings)
    {
        string file = PathOf("dump.toml");
        File.WriteAllText(file, settings.ToToml());
        return file;
    }
}
