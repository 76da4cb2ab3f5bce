using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;

namespace Tunnel.Ctl.Demo;

/// <summary>The HTTP client: downloads and uploads a pattern through the proxy and prints one line each: name, bytes, seconds, hash seen, hash expected.</summary>
internal static class DemoLoad
{
    private const int BlocksPerMegabyte = (1 << 20) / Pattern.BlockLength;
    private const int DownloadSeed = 1;
    private const int UploadSeed = 2;

    public static async Task<int> RunAsync(int socksPort, int targetPort, int megabytes, CancellationToken cancel)
    {
        using var handler = new SocketsHttpHandler { Proxy = new WebProxy($"socks5://127.0.0.1:{socksPort}"), UseProxy = true };
        using var client = new HttpClient(handler) { BaseAddress = new Uri($"http://127.0.0.1:{targetPort}/") };
        int blocks = megabytes * BlocksPerMegabyte;
        await WaitAsync(client, cancel).ConfigureAwait(false);
        await MeasureAsync("download", blocks, DownloadSeed, () => DownloadAsync(client, blocks, cancel)).ConfigureAwait(false);
        await MeasureAsync("upload", blocks, UploadSeed, () => UploadAsync(client, blocks, cancel)).ConfigureAwait(false);
        return 0;
    }

    /// <summary>A first small download: the session and the target may still be coming up.</summary>
    private static async Task WaitAsync(HttpClient client, CancellationToken cancel)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await client.GetByteArrayAsync("0/1", cancel).ConfigureAwait(false);
                return;
            }
            catch (HttpRequestException) when (attempt < 40)
            {
                await Task.Delay(100, cancel).ConfigureAwait(false);
            }
        }
    }

    private static async Task MeasureAsync(string name, int blocks, int seed, Func<Task<string>> transfer)
    {
        long start = Stopwatch.GetTimestamp();
        string seen = await transfer().ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.Out.WriteLine(FormattableString.Invariant(
            $"{name} {(long)blocks * Pattern.BlockLength} {seconds:0.000000} {seen} {Pattern.Hash(seed, blocks)}"));
    }

    private static async Task<string> DownloadAsync(HttpClient client, int blocks, CancellationToken cancel)
    {
        await using Stream body = await client.GetStreamAsync($"{DownloadSeed}/{blocks}", cancel).ConfigureAwait(false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(body, cancel).ConfigureAwait(false));
    }

    private static async Task<string> UploadAsync(HttpClient client, int blocks, CancellationToken cancel)
    {
        using var content = new PatternContent(UploadSeed, blocks);
        using HttpResponseMessage response = await client.PutAsync("up", content, cancel).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(cancel).ConfigureAwait(false);
    }

    private sealed class PatternContent(int seed, int blocks) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            using var pattern = new Pattern(seed);
            byte[] block = new byte[Pattern.BlockLength];
            for (int i = 0; i < blocks; i++)
            {
                pattern.Fill(block);
                await stream.WriteAsync(block).ConfigureAwait(false);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = (long)blocks * Pattern.BlockLength;
            return true;
        }
    }
}
