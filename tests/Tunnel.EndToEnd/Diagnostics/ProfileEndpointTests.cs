using System.Text.Json;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Pprof;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>The profiles that the published programs serve, while they carry something. What is in each is held in a process of the fast tests.</summary>
public class ProfileEndpointTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task BothEndsServeAllOfThem()
    {
        const string anyPort = "127.0.0.1:0";
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["debug.pprof"] = anyPort, c => c["debug.pprof"] = anyPort);
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 4);
        foreach (TunnelProcess end in new[] { pair.Server, pair.Client })
        {
            using DebugClient debug = await DebugClient.ToAsync(end);
            await AssertAsync(debug, "profile?seconds=1", "cpu", "Tunnel.App.");
            await AssertAsync(debug, "heap", "inuse_space", "Tunnel.App.");
            await AssertAsync(debug, "threads", "threads", "Tunnel.App.");
            await AssertAsync(debug, "threadcreate", "threads", "Tunnel.App.");
            await AssertAsync(debug, "allocs?seconds=1", "alloc_space", null);

            using JsonDocument speedscope = JsonDocument.Parse(await debug.GetAsync("/debug/pprof/profile?seconds=1&format=speedscope"));
            Assert.NotEmpty(speedscope.RootElement.GetProperty("profiles").EnumerateArray());
            using var trace = new MemoryStream(await debug.GetBytesAsync("/debug/pprof/trace?seconds=1"));
            StackProfile traced = await Profiler.ReadTraceAsync(trace, Stream.Null, TimeSpan.FromSeconds(1));
            Assert.Contains(traced.Functions, f => f.StartsWith("Tunnel.App.", StringComparison.Ordinal));
        }
    }

    private static async Task AssertAsync(DebugClient debug, string path, string kind, string? function)
    {
        StackProfile profile = PprofReader.Read(await debug.GetBytesAsync($"/debug/pprof/{path}"));
        Assert.True(profile.Kinds.Any(k => k.Type == kind), $"{path}: {string.Join(' ', profile.Kinds)}");
        Assert.True(
            function is null || profile.Functions.Any(f => f.StartsWith(function, StringComparison.Ordinal)),
            $"{path} names none of {function}: {string.Join('\n', profile.Functions)}");
    }
}
