using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>Asks a process what it shows of itself.</summary>
internal sealed class DebugClient : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false });

    private DebugClient(int port) => _http.BaseAddress = new Uri($"http://127.0.0.1:{port}");

    public Uri Address => _http.BaseAddress!;

    public static async Task<DebugClient> ToAsync(TunnelProcess process) => new(await process.ListenPortAsync("debug"));

    public Task<string> GetAsync(string path) => _http.GetStringAsync(path);

    public Task<byte[]> GetBytesAsync(string path) => _http.GetByteArrayAsync(path);

    public async Task<PrometheusParser> MetricsAsync() => PrometheusParser.Parse(await GetAsync("/metrics"));

    public async Task<JsonElement> StatusAsync() => JsonDocument.Parse(await GetAsync("/status")).RootElement;

    public async Task<HttpStatusCode> CodeAsync(string path)
    {
        using HttpResponseMessage answer = await _http.GetAsync(path);
        return answer.StatusCode;
    }

    /// <summary>Asks with headers of one's own; dispose the answer.</summary>
    public async Task<HttpResponseMessage> AskAsync(string path, HttpMethod method, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://{Address.Authority}{path}"));
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<HttpStatusCode> CodeAsync(string path, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage answer = await AskAsync(path, HttpMethod.Get, headers);
        return answer.StatusCode;
    }

    public void Present(string token) => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

    public void Dispose() => _http.Dispose();
}
