using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Pprof;

namespace Tunnel.Tests.Diagnostics.Profiles;

/// <summary>Alone, because a profile is of the whole process.</summary>
[CollectionDefinition(nameof(ProfiledProcess), DisableParallelization = true)]
public sealed class ProfiledProcess;

/// <summary>The profiles of this process over HTTP while a tunnel in it carries bytes.</summary>
[Collection(nameof(ProfiledProcess))]
public class ProfileEndpointsTests : IAsyncLifetime
{
    private const int Limit = 120_000;

    private static readonly string[] Names = ["profile", "allocs", "heap", "threads", "threadcreate", "trace"];

    private static readonly Uri Threads = new("/debug/pprof/threads", UriKind.Relative);

    private LoadedTunnel _tunnel = null!;

    public async ValueTask InitializeAsync() => _tunnel = await LoadedTunnel.StartAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _tunnel.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task TheProcessorProfileNamesOurMethodsAndAddsUpToTheTimeTaken()
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        byte[] file = await _tunnel.GetAsync("/debug/pprof/profile?seconds=2");
        TimeSpan taken = Environment.CpuUsage.TotalTime - before;
        DecodedProfile profile = DecodedProfile.From(file);
        Assert.Equal(["samples/count", "cpu/nanoseconds"], profile.SampleTypes);
        Assert.Equal("cpu/nanoseconds", profile.PeriodType);
        Assert.Equal("cpu", profile.DefaultType);
        Assert.Equal(Environment.ProcessPath, profile.MappedFile);
        Assert.InRange(profile.DurationNanos, 2_000_000_000, 30_000_000_000);
        Assert.True(profile.Period > 0 && profile.TimeNanos > 0);

        long all = profile.Sum(1);
        Assert.InRange(all, 1, (long)taken.TotalNanoseconds);
        // The tunnel is all that works here; what waits in the runtime must not hide it.
        Assert.True(profile.Sum(1, "Tunnel.") > all / 4, $"{profile.Sum(1, "Tunnel.")} of {all}");
        Assert.All(profile.Samples, s => Assert.StartsWith("thread=", Assert.Single(s.Labels), StringComparison.Ordinal));
    }

    /// <summary>
    /// Until they have been met: where others take the processor, a second gives few samples. Of the protocol no class is named, since small
    /// methods are compiled into their callers.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task TheProcessorProfileNamesMethodsOfEachLayer()
    {
        List<string> missing = ["Tunnel.App.Runtime.PeerSession.", "Tunnel.App.Services.", "Tunnel.Protocol."];
        for (int i = 0; i < 20 && missing.Count > 0; i++)
        {
            DecodedProfile profile = DecodedProfile.From(await _tunnel.GetAsync("/debug/pprof/profile?seconds=1"));
            missing.RemoveAll(method => profile.Sum(1, method) > 0);
        }

        Assert.True(missing.Count == 0, $"{string.Join(", ", missing)} took no time; carried {_tunnel.Carried} bytes");
    }

    [Fact(Timeout = Limit)]
    public async Task SpeedscopeGetsTheSameStacksOutermostFirst()
    {
        using JsonDocument json = JsonDocument.Parse(await _tunnel.GetAsync("/debug/pprof/profile?seconds=1&format=speedscope"));
        JsonElement root = json.RootElement;
        string[] frames = [.. root.GetProperty("shared").GetProperty("frames").EnumerateArray().Select(f => f.GetProperty("name").GetString()!)];
        Assert.Contains(frames, f => f.StartsWith("Tunnel.Protocol.", StringComparison.Ordinal));
        JsonElement[] profiles = [.. root.GetProperty("profiles").EnumerateArray()];
        Assert.NotEmpty(profiles);
        foreach (JsonElement profile in profiles)
        {
            Assert.Equal("sampled", profile.GetProperty("type").GetString());
            Assert.Equal("nanoseconds", profile.GetProperty("unit").GetString());
            long[] weights = [.. profile.GetProperty("weights").EnumerateArray().Select(w => w.GetInt64())];
            JsonElement[] samples = [.. profile.GetProperty("samples").EnumerateArray()];
            Assert.Equal(samples.Length, weights.Length);
            Assert.Equal(weights.Sum(), profile.GetProperty("endValue").GetInt64());
            Assert.All(samples, s => Assert.All(s.EnumerateArray(), f => Assert.InRange(f.GetInt32(), 0, frames.Length - 1)));
        }

        int pool = Array.FindIndex(frames, f => f.StartsWith("System.Threading.PortableThreadPool+WorkerThread.WorkerThreadStart", StringComparison.Ordinal));
        Assert.Contains(profiles, p => p.GetProperty("samples").EnumerateArray().Any(s => s.GetArrayLength() > 3 && FirstFew(s).Contains(pool)));
    }

    [Fact(Timeout = Limit)]
    public async Task AllocationsHaveTypesAndStacks()
    {
        DecodedProfile profile = DecodedProfile.From(await _tunnel.GetAsync("/debug/pprof/allocs?seconds=3"));
        Assert.Equal(["alloc_objects/count", "alloc_space/bytes"], profile.SampleTypes);
        (string[] frames, long[] values, _) = profile.Samples
            .Where(s => s.Frames.Any(f => f.Contains(nameof(LoadedTunnel), StringComparison.Ordinal))).MaxBy(s => s.Values[1]);
        Assert.Equal("[System.Byte[]]", frames[0]);
        // Arrays of a thousand bytes and 24 of header.
        Assert.InRange(values[1] / (double)values[0], 1000, 1050);
    }

    [Fact(Timeout = Limit)]
    public async Task TheHeapIsCountedByType()
    {
        var kept = new KeptObject[1000];
        for (int i = 0; i < kept.Length; i++)
            kept[i] = new KeptObject();
        // The runtime tells a type's name once a session; the second profile must have it, too.
        await _tunnel.GetAsync("/debug/pprof/heap");
        DecodedProfile profile = DecodedProfile.From(await _tunnel.GetAsync("/debug/pprof/heap"));
        GC.KeepAlive(kept);
        Assert.Equal(["inuse_objects/count", "inuse_space/bytes"], profile.SampleTypes);
        (string[] frames, long[] values, _) = Assert.Single(profile.Samples, s => s.Frames[0].EndsWith(nameof(KeptObject), StringComparison.Ordinal));
        Assert.Single(frames);
        Assert.Equal(1000, values[0]);
        Assert.Equal(1000 * 24, values[1]);
        Assert.InRange(profile.Sum(1), 1_000_000, GC.GetTotalMemory(false) * 4);
    }

    [Theory(Timeout = Limit)]
    [InlineData("threads")]
    [InlineData("threadcreate")]
    public async Task ThreadsHaveTheirStacks(string name)
    {
        DecodedProfile profile = DecodedProfile.From(await _tunnel.GetAsync($"/debug/pprof/{name}"));
        Assert.Equal(["threads/count"], profile.SampleTypes);
        Assert.Contains(profile.Samples, s => s.Frames.Contains("Tunnel.App.Runtime.DeadlineLoop.Run") && s.Labels.Contains("thread=deadlines"));
        Assert.All(profile.Samples, s => Assert.Equal([1], s.Values));
    }

    [Theory(Timeout = Limit)]
    [InlineData("profile?seconds=0", "1 to 600")]
    [InlineData("profile?seconds=601", "1 to 600")]
    [InlineData("profile?seconds=x", "1 to 600")]
    [InlineData("profile?seconds=-1", "1 to 600")]
    [InlineData("profile?format=svg", "pprof or speedscope")]
    [InlineData("heap?seconds=5", "takes no seconds")]
    [InlineData("allocs?format=speedscope", "profile only")]
    [InlineData("trace?seconds=99999999999", "1 to 600")]
    public async Task AWrongQuestionIsToldSo(string path, string text)
    {
        using HttpResponseMessage response = await _tunnel.Http.GetAsync(new Uri($"/debug/pprof/{path}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task ASecondSessionIsTurnedAwayUntilTheFirstIsGivenUp()
    {
        // A trace begins with its first bytes, so its headers say that the session is there.
        using (HttpResponseMessage first = await _tunnel.Http.GetAsync(
            new Uri("/debug/pprof/trace?seconds=600", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            using HttpResponseMessage second = await _tunnel.Http.GetAsync(Threads);
            Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
            Assert.Contains("one at a time", await second.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        HttpResponseMessage third = await _tunnel.Http.GetAsync(Threads);
        while (third.StatusCode == HttpStatusCode.Conflict)
        {
            third.Dispose();
            third = await _tunnel.Http.GetAsync(Threads);
        }

        Assert.Contains(DecodedProfile.From(await third.Content.ReadAsByteArrayAsync()).Samples, s => s.Frames.Length != 0);
        third.Dispose();
    }

    /// <summary>From an address that was typed without its last slash as well.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("/debug/pprof/")]
    [InlineData("/debug/pprof")]
    public async Task TheIndexLeadsToAll(string path)
    {
        string index = Encoding.UTF8.GetString(await _tunnel.GetAsync(path));
        string[] links = [.. Regex.Matches(index, "href=\"([^\"]*)\"").Select(m => new Uri(new Uri($"http://host{path}"), m.Groups[1].Value).AbsolutePath)];
        Assert.Equal(Names.Select(name => $"/debug/pprof/{name}"), links);
    }

    [Fact(Timeout = Limit)]
    public async Task WhatIsWrittenCanBeReadBack()
    {
        byte[] file = await _tunnel.GetAsync("/debug/pprof/profile?seconds=1");
        StackProfile read = PprofReader.Read(file);
        DecodedProfile decoded = DecodedProfile.From(file);
        Assert.Equal(decoded.Samples.Select(Line), read.Samples.Select(s => Line(([.. s.Frames.Select(f => read.Functions[f])], s.Values, [$"thread={s.Thread}"]))));
        Assert.Equal(decoded.Period, read.Period);
        Assert.Equal(decoded.DurationNanos / 1000, (long)read.Duration.TotalMicroseconds);
    }

    private static string Line((string[] Frames, long[] Values, string[] Labels) s) =>
        $"{string.Join(';', s.Frames)} {string.Join(',', s.Values)} {string.Join(',', s.Labels)}";

    private static IEnumerable<int> FirstFew(JsonElement stack) => stack.EnumerateArray().Take(3).Select(f => f.GetInt32());

    private sealed class KeptObject
    {
        public long Value = 1;
    }
}
