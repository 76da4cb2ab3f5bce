using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Pprof;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>tunnelctl profile against processes that carry bytes as fast as they can.</summary>
public class ProfileVerbTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task AServerUnderLoadShowsItsMethods()
    {
        (UdpPair pair, Func<Task> stop) = await LoadAsync();
        string file = PathOf("server.pb.gz");
        ToolResult result = await ProfileAsync("--pid", $"{pair.Server.Id}", "--seconds", "1", "--output", file, "--json");
        using JsonDocument json = JsonDocument.Parse(result.Expect());
        Assert.Contains("recording process", result.Error, StringComparison.Ordinal);
        Assert.Equal(file, json.RootElement.GetProperty("file").GetString());
        Assert.True(json.RootElement.GetProperty("cpu_seconds").GetDouble() > 0);
        JsonElement[] methods = [.. json.RootElement.GetProperty("methods").EnumerateArray()];
        Assert.Equal(10, methods.Length);
        Assert.Contains(methods, m => m.GetProperty("name").GetString()!.StartsWith("Tunnel.", StringComparison.Ordinal));
        Assert.All(methods, m => Assert.InRange(m.GetProperty("self_percent").GetDouble(), 0, m.GetProperty("total_percent").GetDouble() + 0.01));

        StackProfile profile = PprofReader.Read(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Assert.Contains(profile.Functions, f => f.StartsWith("Tunnel.Protocol.", StringComparison.Ordinal));
        // Where the sampler stops a thread is not what the thread was doing.
        Assert.DoesNotContain(profile.Functions, f => f.Contains("PollGC", StringComparison.Ordinal));
        await stop();
    }

    [Fact(Timeout = Limit)]
    public async Task EveryFormatIsWrittenAndTheTableIsForPeople()
    {
        (UdpPair pair, Func<Task> stop) = await LoadAsync();
        string[] common = ["--pid", $"{pair.Client.Id}", "--seconds", "1"];
        string speedscope = PathOf("client.json"), trace = PathOf("client.nettrace");
        string table = (await ProfileAsync([.. common, "--format", "speedscope", "--output", speedscope])).Expect();
        Assert.Matches(@"(?m)^ *\d+\.\d% +\d+\.\d%  Tunnel\.", table);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllBytesAsync(speedscope, TestContext.Current.CancellationToken));
        Assert.NotEmpty(json.RootElement.GetProperty("profiles").EnumerateArray());

        table = (await ProfileAsync([.. common, "--format", "nettrace", "--output", trace])).Expect();
        Assert.Matches(@"(?m)^ *\d+\.\d% +\d+\.\d%  Tunnel\.", table);
        await using FileStream file = File.OpenRead(trace);
        StackProfile profile = await Profiler.ReadTraceAsync(file, Stream.Null, TimeSpan.FromSeconds(1));
        Assert.Contains(profile.Functions, f => f.StartsWith("Tunnel.Protocol.", StringComparison.Ordinal));
        await stop();
    }

    [Fact(Timeout = Limit)]
    public async Task NothingIsOverwrittenUnlessForced()
    {
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        string file = PathOf("kept");
        await File.WriteAllTextAsync(file, "kept", TestContext.Current.CancellationToken);
        string[] arguments = ["--pid", $"{pair.Server.Id}", "--seconds", "1", "--output", file];
        ToolResult refused = await ProfileAsync(arguments);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal("kept", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        (await ProfileAsync([.. arguments, "--force"])).Expect();
        Assert.NotEmpty(PprofReader.Read(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).Kinds);
        Assert.Equal([file], Directory.GetFiles(Path.GetDirectoryName(file)!, "kept*"));
    }

    [Fact(Timeout = Limit)]
    public async Task AProcessThatServesItsProfilesNeedNotBeOnThisHost()
    {
        (_, Func<Task> stop) = await LoadAsync();
        await using WebApplication app = await ServeOwnProfilesAsync();
        string url = app.Urls.Single();
        string pprof = PathOf("own.pb.gz"), trace = PathOf("own.nettrace");
        (await ProfileAsync("--url", url, "--seconds", "1", "--output", pprof)).Expect();
        Assert.Contains(ReadFunctions(pprof), f => f.Contains(nameof(ProfileVerbTests), StringComparison.Ordinal));
        (await ProfileAsync("--url", url, "--seconds", "1", "--format", "nettrace", "--output", trace)).Expect();
        Assert.True(new FileInfo(trace).Length > 10_000);
        await stop();
    }

    [Theory(Timeout = Limit)]
    [InlineData(1, "there is no process 2147483647", "--pid", "2147483647", "--seconds", "1")]
    [InlineData(1, "no diagnostics port", "--pid", "1", "--seconds", "1")]
    [InlineData(1, "127.0.0.1:9", "--url", "http://127.0.0.1:9", "--seconds", "1")]
    [InlineData(2, "one of --pid and --url")]
    [InlineData(2, "one of --pid and --url", "--pid", "1", "--url", "http://127.0.0.1:9")]
    [InlineData(2, "1 to 600", "--pid", "1", "--seconds", "601")]
    [InlineData(2, "1 to 600", "--pid", "1", "--seconds", "x")]
    [InlineData(2, "--pid takes", "--pid", "x")]
    [InlineData(2, "--url takes", "--url", "ftp://127.0.0.1")]
    public async Task WhatCannotBeIsSaid(int exitCode, string text, params string[] arguments)
    {
        ToolResult result = await ProfileAsync([.. arguments, "--output", PathOf("none")]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("none")));
    }

    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("{\"is\": \"something else\"}")]
    public async Task WhatAnswersSomethingElseIsSaid(string answer)
    {
        await using WebApplication app = await ServeAsync(routes => routes.MapGet("/debug/pprof/profile", context => context.Response.WriteAsync(answer)));
        ToolResult result = await ProfileAsync("--url", app.Urls.Single(), "--seconds", "1", "--output", PathOf("none"));
        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith("answers, but not with a profile: is it a tunnel's debug.pprof?", result.Error.Trim(), StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("none")));
    }

    private static Task<ToolResult> ProfileAsync(params string[] arguments) => Tool.RunAsync(Binaries.Control, ["profile", .. arguments]);

    private static IReadOnlyList<string> ReadFunctions(string file) => PprofReader.Read(File.ReadAllBytes(file)).Functions;

    private static Task<WebApplication> ServeOwnProfilesAsync() => ServeAsync(routes => routes.MapProfiles());

    private static async Task<WebApplication> ServeAsync(Action<WebApplication> map)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        app.UseRouting();
        map(app);
        await app.StartAsync();
        return app;
    }

    /// <summary>A tunnel through which a target pours bytes until it is told to stop.</summary>
    private async Task<(UdpPair Pair, Func<Task> Stop)> LoadAsync()
    {
        byte[] block = new byte[64 * 1024];
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            while (true)
                await socket.SendAsync(block);
        }));
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        Task reading = SwallowAsync(socket);
        return (pair, () =>
        {
            socket.Dispose();
            return reading;
        }
        );
    }

    private static async Task SwallowAsync(Socket socket)
    {
        byte[] block = new byte[64 * 1024];
        try
        {
            while (await socket.ReceiveAsync(block) > 0)
            {
                // There is more.
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Enough.
        }
    }
}
