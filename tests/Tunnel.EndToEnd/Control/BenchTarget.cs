using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>bench serve, beside a test.</summary>
internal static class BenchTarget
{
    private const int LowestPort = 12_000;
    private const int HighestPort = 32_000;

    /// <summary>Starts it; the first of its three ports.</summary>
    public static async Task<int> ServeAsync(EndToEndTest test, params string[] options)
    {
        // Three ports in a row, of which another program may have one. Below those that the kernel hands out: a bench of new connections leaves
        // tens of thousands of them in TIME_WAIT.
        for (int attempt = 0; ; attempt++)
        {
            int first = Random.Shared.Next(LowestPort, HighestPort);
            ChildProcess server = test.StartProcess(null, Binaries.Control, ["bench", "serve", "--listen", $"127.0.0.1:{first}", .. options]);
            await Until.TrueAsync("bench serve says something", () => server.Lines.Length != 0 || server.HasExited);
            if (server.Count("serving http") != 0)
                return first;
            Assert.True(attempt < 5, server.Text);
        }
    }

    public static int FreeTcpPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Math.Min(((IPEndPoint)socket.LocalEndPoint!).Port, 65500);
    }
}
