using System.Globalization;
using System.Text;
using Tunnel.Ctl.Bench.Workloads;

namespace Tunnel.Ctl.Bench;

/// <summary>As much of an HTTP server as a bench asks: GET / is 13 bytes, GET /bytes/N is N, HTTP/1.0 and 1.1, kept alive as asked.</summary>
internal static class TargetHttp
{
    private const int LongestRequest = 16 * 1024;
    private const int Chunk = 256 * 1024;
    private const string BytesPath = "/bytes/";

    private static readonly byte[] Greeting = "Hello, world\n"u8.ToArray();
    private static readonly byte[] GreetingAnswer = Head(Greeting.Length, "", Greeting);
    private static readonly byte[] GreetingAnswerKept = Head(Greeting.Length, "Connection: keep-alive\r\n", Greeting);
    private static readonly byte[] Source = Payload.Random(Chunk);

    /// <param name="socket">The connection.</param>
    /// <param name="delay">How long each request takes.</param>
    public static async Task ServeAsync(BenchSocket socket, TimeSpan delay)
    {
        byte[] buffer = new byte[LongestRequest];
        int length = 0;
        while (await socket.ReceiveSomeAsync(buffer.AsMemory(length)).ConfigureAwait(false) is var count and not 0)
        {
            length += count;
            while (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is var end and >= 0)
            {
                Request request = Request.Read(buffer.AsSpan(0, end + 2));
                await TargetServer.ServeTimeAsync(delay).ConfigureAwait(false);
                await AnswerAsync(socket, request).ConfigureAwait(false);
                if (request.Closes)
                    return;
                length -= end + 4;
                buffer.AsSpan(end + 4, length).CopyTo(buffer);
            }

            if (length == buffer.Length)
                return;
        }
    }

    private static async ValueTask AnswerAsync(BenchSocket socket, Request request)
    {
        if (request.BodyLength is not { } length)
        {
            await socket.SendAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray()).ConfigureAwait(false);
            return;
        }

        if (length == Greeting.Length)
        {
            await socket.SendAsync(request.WantsWord ? GreetingAnswerKept : GreetingAnswer).ConfigureAwait(false);
            return;
        }

        string connection = request.WantsWord ? "Connection: keep-alive\r\n" : "";
        await socket.SendAsync(Head(length, connection, [])).ConfigureAwait(false);
        for (long left = length; left > 0; left -= Source.Length)
            await socket.SendAsync(Source.AsMemory(0, (int)Math.Min(left, Source.Length))).ConfigureAwait(false);
    }

    private static byte[] Head(long length, string connection, byte[] body) =>
    [
        .. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n{connection}\r\n"), .. body,
    ];

    /// <param name="BodyLength">Of the answer; null: there is no such thing.</param>
    /// <param name="Closes">The connection ends with this answer.</param>
    /// <param name="WantsWord">HTTP/1.0: it is kept only if the answer says so.</param>
    private readonly record struct Request(long? BodyLength, bool Closes, bool WantsWord)
    {
        public static Request Read(ReadOnlySpan<byte> head)
        {
            string[] words = Encoding.ASCII.GetString(head[..head.IndexOf("\r\n"u8)]).Split(' ');
            if (words is not ["GET", _, _])
                return new Request(null, Closes: true, WantsWord: false);
            bool isOld = words[2] == "HTTP/1.0", keeps = Says(head, "keep-alive"), closes = Says(head, "close");
            return new Request(LengthOf(words[1]), closes || isOld && !keeps, isOld && keeps);
        }

        private static long? LengthOf(string path)
        {
            if (path == "/")
                return Greeting.Length;
            return path.StartsWith(BytesPath, StringComparison.Ordinal)
                && long.TryParse(path.AsSpan(BytesPath.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long length)
                ? length
                : null;
        }

        private static bool Says(ReadOnlySpan<byte> head, string option)
        {
            ReadOnlySpan<byte> name = "\r\nconnection:"u8;
            for (int at = 0; at + name.Length < head.Length; at++)
            {
                if (!Ascii.EqualsIgnoreCase(head.Slice(at, name.Length), name))
                    continue;
                ReadOnlySpan<byte> value = head[(at + name.Length)..];
                return Ascii.EqualsIgnoreCase(value[..value.IndexOf("\r\n"u8)].Trim((byte)' '), option);
            }

            return false;
        }
    }
}
