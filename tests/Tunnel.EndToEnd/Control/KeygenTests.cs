using System.Buffers.Text;
using System.Net.Sockets;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Control;

/// <summary>The key that both ends share.</summary>
public class KeygenTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task AKeyIsNewEachTimeAndServesAPair()
    {
        string key = (await Tool.RunAsync(Binaries.Control, "keygen")).Expect().TrimEnd('\n');
        using JsonDocument other = JsonDocument.Parse((await Tool.RunAsync(Binaries.Control, "keygen", "--json")).Expect());
        string another = other.RootElement.GetProperty("key").GetString()!;
        Assert.NotEqual(key, another);
        Assert.All([key, another], k => Assert.Equal(32, Base64Url.DecodeFromChars(k).Length));

        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["transport.kcp.key"] = key, c => c["transport.kcp.key"] = key);
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }
}
