using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.Ctl.Top;

/// <summary>Asks a running process for its status.</summary>
internal sealed class StatusSource : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly Uri _status;

    public StatusSource(Uri url, string? token)
    {
        // Of this very host, or one that was named: no proxy knows it better.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Limit };
        if (!string.IsNullOrEmpty(token))
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _status = new Uri(url, "/status");
    }

    /// <exception cref="StatusException">Nothing answers, or something else than a status; the message says what to do.</exception>
    public async Task<StatusReport> ReadAsync(CancellationToken cancel)
    {
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync(_status, cancel);
            if (!answer.IsSuccessStatusCode)
                throw new StatusException(Explain(answer.StatusCode));
            await using Stream body = await answer.Content.ReadAsStreamAsync(cancel);
            return await JsonSerializer.DeserializeAsync(body, StatusJson.Default.StatusReport, cancel)
                ?? throw new StatusException($"{_status} answers, but not with a status of this version");
        }
        catch (HttpRequestException e)
        {
            throw new StatusException($"nothing answers at {_status} ({e.Message}): is the process running, with debug.pprof in its file?");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new StatusException($"{_status} does not answer within {Limit.TotalSeconds:0} s");
        }
        catch (JsonException)
        {
            throw new StatusException($"{_status} answers, but not with a status of this version");
        }
    }

    public void Dispose() => _http.Dispose();

    private string Explain(HttpStatusCode code) => code switch
    {
        HttpStatusCode.Unauthorized => $"{_status} wants debug.token: --token-file FILE, and the right one",
        HttpStatusCode.MisdirectedRequest => $"{_status}: use an IP address or localhost",
        HttpStatusCode.NotFound => $"{_status}: there is no status here; something else answers",
        _ => $"{_status} answers {(int)code}",
    };
}

/// <summary>There is no status to be had; the message says why, and what to do.</summary>
internal sealed class StatusException(string message) : Exception(message);
