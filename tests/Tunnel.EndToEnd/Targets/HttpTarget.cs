using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Tunnel.EndToEnd.Targets;

/// <summary>
/// As much of an HTTP server as the tests need, on both families. GET /SEED/LENGTH answers the bytes of <see cref="Payload"/>; PUT
/// answers the SHA-256 of what came. One request a connection.
/// </summary>
internal sealed class HttpTarget : IDisposable
{
    private readonly TcpListener _listener;

    private HttpTarget(TcpListener listener) => _listener = listener;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <param name="port">0 for any.</param>
    public static HttpTarget Start(int port = 0)
    {
        TcpListener listener = TcpListener.Create(port);
        listener.Start(512);
        var target = new HttpTarget(listener);
        target.Completion = target.AcceptAsync();
        return target;
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private static async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                string[] head = await ReadHeadAsync(stream);
                string[] request = head[0].Split(' ');
                await (request[0] == "PUT" ? TakeAsync(stream, LengthOf(head)) : GiveAsync(stream, request[1]));
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Tests break connections off on purpose.
            }
        }
    }

    private static async Task<string[]> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one) == 0)
                throw new IOException("the request is not whole");
            head.Append((char)one[0]);
        }

        return head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    private static long LengthOf(string[] head)
    {
        const string name = "Content-Length:";
        string line = head.First(h => h.StartsWith(name, StringComparison.OrdinalIgnoreCase));
        return long.Parse(line.AsSpan(name.Length), CultureInfo.InvariantCulture);
    }

    private static async Task GiveAsync(NetworkStream stream, string path)
    {
        string[] parts = path.Split('/');
        int seed = int.Parse(parts[1], CultureInfo.InvariantCulture);
        long length = long.Parse(parts[2], CultureInfo.InvariantCulture);
        await WriteHeadAsync(stream, length);
        foreach (ReadOnlyMemory<byte> block in Payload.Blocks(seed, length))
            await stream.WriteAsync(block);
    }

    private static async Task TakeAsync(NetworkStream stream, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[64 * 1024];
        for (long left = length; left > 0;)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)));
            if (count == 0)
                throw new IOException("the body is not whole");
            hash.AppendData(buffer, 0, count);
            left -= count;
        }

        byte[] answer = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()));
        await WriteHeadAsync(stream, answer.Length);
        await stream.WriteAsync(answer);
    }

    private static ValueTask WriteHeadAsync(NetworkStream stream, long length) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"));
}

/// <summary>The target as a program of its own, for another network namespace.</summary>
internal static class HttpTargetProgram
{
    public const string ReadyLine = "serving";

    public static async Task<int> RunAsync(int port)
    {
        using HttpTarget target = HttpTarget.Start(port);
        Console.WriteLine(ReadyLine);
        // Its input ends with whoever started it, so it cannot outlive the tests.
        Task parent = Console.In.ReadToEndAsync();
        await Task.WhenAny(target.Completion, parent);
        return 0;
    }
}
