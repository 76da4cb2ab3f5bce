using System.Globalization;
using System.Net.Http.Headers;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Pprof;

namespace Tunnel.Ctl.Profiling;

/// <summary>A process that serves its profiles over HTTP (debug.pprof).</summary>
/// <param name="address">Of the process, not of a profile.</param>
/// <param name="tokenFile">Holds what it wants to see first; null if it wants nothing.</param>
internal sealed class RemoteSource(Uri address, FileInfo? tokenFile) : IProfileSource
{
    public string Name => $"{address.Scheme}://{address.Authority}";

    public string ShortName => $"{address.Port}";

    public async Task<StackProfile> ProfileAsync(TimeSpan duration, Stream? trace, CancellationToken cancel)
    {
        try
        {
            using HttpClient http = CreateClient();
            string seconds = duration.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
            if (trace is null)
                return PprofReader.Read(await GetAsync(http, $"/debug/pprof/profile?seconds={seconds}", cancel).ConfigureAwait(false));
            using HttpResponseMessage response = await AskAsync(http, $"/debug/pprof/trace?seconds={seconds}", cancel).ConfigureAwait(false);
            await using Stream body = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            await using CancellationTokenRegistration stop = cancel.Register(body.Dispose);
            return await Profiler.ReadTraceAsync(body, trace, duration).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ProfilerException($"{Name} answers, but not with a profile: is it a tunnel's debug.pprof?", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ProfilerException($"{Name}: {e.Message}", e);
        }
    }

    private HttpClient CreateClient()
    {
        var http = new HttpClient { BaseAddress = new Uri(Name), Timeout = Timeout.InfiniteTimeSpan };
        if (tokenFile is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(tokenFile.FullName).Trim());
        return http;
    }

    private static async Task<byte[]> GetAsync(HttpClient http, string path, CancellationToken cancel)
    {
        using HttpResponseMessage response = await AskAsync(http, path, cancel).ConfigureAwait(false);
        return await response.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, string path, CancellationToken cancel)
    {
        HttpResponseMessage response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancel).ConfigureAwait(false);
            throw new HttpRequestException($"{(int)response.StatusCode}: {(text.Length == 0 ? response.ReasonPhrase : text.Trim())}");
        }
    }
}
