using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>curl through a SOCKS5 proxy on loopback, which is told names rather than addresses.</summary>
/// <param name="networkNamespace">Where it runs; null is where the tests do.</param>
/// <param name="socksPort">The proxy's.</param>
/// <param name="credentials">user:password, or null.</param>
internal sealed class Curl(string? networkNamespace, int socksPort, string? credentials = null)
{
    /// <summary>Seconds that one transfer may take.</summary>
    private const string Limit = "60";

    /// <summary>Downloads from an <see cref="HttpTarget"/> and compares.</summary>
    /// <param name="target">host:port</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="seed">Which bytes.</param>
    public async Task DownloadAsync(string target, long length, int seed = 1)
    {
        ToolResult result = await GetAsync(target, length, seed);
        result.Expect();
        Assert.Equal(Payload.Hash(seed, length), result.Output);
    }

    /// <summary>Downloads; the output is what came, hashed.</summary>
    public Task<ToolResult> GetAsync(string target, long length = 1000, int seed = 1) =>
        RunAsync(Payload.HashAsync, $"http://{target}/{seed}/{length}");

    /// <summary>Downloads as <see cref="DownloadAsync"/>, at a pace that leaves time to do something meanwhile.</summary>
    /// <param name="target">host:port</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="bytesPerSecond">What curl reads at most.</param>
    public async Task DownloadSlowlyAsync(string target, long length, long bytesPerSecond)
    {
        ToolResult result = await RunAsync(Payload.HashAsync, "--limit-rate", $"{bytesPerSecond}", $"http://{target}/1/{length}");
        result.Expect();
        Assert.Equal(Payload.Hash(1, length), result.Output);
    }

    /// <summary>Uploads a file to an <see cref="HttpTarget"/>; the output is the hash of what came there.</summary>
    public async Task<string> UploadAsync(string target, string file)
    {
        ToolResult result = await RunAsync(
            stream => new StreamReader(stream).ReadToEndAsync(), "--upload-file", file, "--header", "Expect:", $"http://{target}/");
        return result.Expect();
    }

    private Task<ToolResult> RunAsync(Func<Stream, Task<string>> read, params string[] arguments)
    {
        string[] user = credentials is null ? [] : ["--proxy-user", credentials];
        string[] common =
        [
            "--silent", "--show-error", "--fail", "--globoff", "--max-time", Limit,
            "--socks5-hostname", $"127.0.0.1:{socksPort}", .. user,
        ];
        return Tool.RunInAsync(networkNamespace, "curl", [.. common, .. arguments], read);
    }
}
