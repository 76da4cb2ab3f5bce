using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>Thousands of streams, in one session.</summary>
public class ManyStreamsTests : EndToEndTest
{
    private const int Streams = 5000;
    private const int AtOnce = 100;

    [Fact(Timeout = Limit)]
    public async Task FiveThousandAreOpenedHeldAndEchoedAgain()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => Raise(s), c => Raise(c).WithForward(target.Address));
        int port = await pair.Client.ForwardPortAsync();
        var sockets = new Socket[Streams];
        try
        {
            await EachAsync(async i =>
            {
                sockets[i] = await SocksClient.ConnectDirectlyAsync(port);
                await EchoAsync(sockets[i], $"first {i}");
            });
            Assert.Equal(Streams, target.Accepted);
            await EachAsync(i => EchoAsync(sockets[i], $"again {i}"));
        }
        finally
        {
            foreach (Socket? socket in sockets)
                socket?.Dispose();
        }

        Assert.Equal(1, pair.Client.Count("is up"));
        Assert.Equal(0, pair.Client.Count("the session ended"));
    }

    private static TunnelSettings Raise(TunnelSettings settings) => settings.With("transport.kcp.max_streams_per_session", Streams + 10);

    private static Task EachAsync(Func<int, Task> act) => Parallel.ForEachAsync(
        Enumerable.Range(0, Streams), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => await act(i));

    private static async Task EchoAsync(Socket socket, string text)
    {
        await socket.SendTextAsync(text);
        Assert.Equal(text, await socket.ReceiveTextAsync(text.Length));
    }
}
