using System.Net.Sockets;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Control;

/// <summary>The files that tunnelctl init makes, started as it says.</summary>
public class InitTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task APairCarriesTraffic()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int socks5 = FreeTcpPort();
        JsonElement made = await InitAsync("--server", $"127.0.0.1:{FreeUdpPort()}", "--udp", "--socks5", $"127.0.0.1:{socks5}");
        TunnelProcess server = Start(Binaries.Server, made, "server_command", "server.toml");
        await server.ReadyAsync();
        TunnelProcess client = Start(Binaries.Client, made, "client_command", "client.toml");
        await client.ConnectedAsync();
        using Socket socket = await SocksClient.ConnectAsync(socks5, "localhost", target.Port);
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }

    [Fact(Timeout = Limit)]
    public async Task NothingIsWrittenTwice()
    {
        await InitAsync("--server", "192.0.2.1:9999");
        string key = await File.ReadAllTextAsync(PathOf("pair/tunnel.key"));
        ToolResult again = await Tool.RunAsync(Binaries.Control, "init", "--server", "192.0.2.1:9999", "--out", PathOf("pair"));
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("is there already", again.Error);
        Assert.Equal(key, await File.ReadAllTextAsync(PathOf("pair/tunnel.key")));
    }

    /// <summary>A file that could be made and not filled is removed with the rest: the next try is not to find it there.</summary>
    [Fact(Timeout = Limit)]
    public async Task OnAFullDiskNothingIsLeft()
    {
        const string script = "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero > \"$1/fill\"; \"$2\" init --server 192.0.2.1:9999 --out \"$1\"; echo $?; ls \"$1\"";
        string folder = Directory.CreateDirectory(PathOf("full")).FullName;
        ToolResult result = await Tool.RunAsync("unshare", "--mount", "sh", "-c", script, "sh", folder, Binaries.Control);
        Assert.Equal("1\nfill\n", result.Output);
        Assert.Contains("nothing was written: No space left on device", result.Error, StringComparison.Ordinal);
    }

    private async Task<JsonElement> InitAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, ["init", "--json", "--out", PathOf("pair"), .. arguments]);
        using JsonDocument json = JsonDocument.Parse(result.Expect());
        return json.RootElement.Clone();
    }

    /// <summary>The command that it told, with the binary under test and the folder of the files.</summary>
    private TunnelProcess Start(string binary, JsonElement made, string command, string file)
    {
        Assert.Equal($"{Path.GetFileName(binary)} --config {file}", made.GetProperty(command).GetString());
        return Own(TunnelProcess.Start(null, [binary], PathOf($"pair/{file}")));
    }

    private static int FreeTcpPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return ((System.Net.IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
