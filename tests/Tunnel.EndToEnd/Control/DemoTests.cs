using System.Text.Json;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>The main job as one command.</summary>
public class DemoTests : EndToEndTest
{
    private const long Bytes = 4 << 20;

    private static readonly string[] Arguments = ["demo", "--size", "4", "--json"];

    // Built and not published, each program has a folder of its own, and this one starts the others from its own.
    public DemoTests() => Requires.That(
        File.Exists(Path.Combine(Path.GetDirectoryName(Binaries.Control)!, "tunnel-server")), "needs published programs (TUNNEL_BIN), side by side");

    [Fact(Timeout = Limit)]
    public async Task AsRootItRunsOverRawSegmentsAndLeavesNothing()
    {
        Requires.Namespaces();
        Requires.Tool("nft");
        ToolResult result = await Tool.RunAsync(Binaries.Control, Arguments);
        AssertIsWhole(result, "raw TCP segments");
        Assert.DoesNotContain("demo", (await Tool.RunAsync("ip", "netns", "list")).Expect(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutRootItRunsOverUdp()
    {
        Requires.Root();
        Requires.Tool("setpriv");
        Directory.CreateDirectory(PathOf("nobody"));
        (await Tool.RunAsync("chmod", "-R", "a+rwX", PathOf("."))).Expect();
        ToolResult result = await Tool.RunAsync(
            "setpriv",
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups",
                "env", $"HOME={PathOf("nobody")}", $"TMPDIR={PathOf("nobody")}", Binaries.Control, .. Arguments,
            ]);
        AssertIsWhole(result, "UDP on loopback");
    }

    private static void AssertIsWhole(ToolResult result, string how)
    {
        using JsonDocument json = JsonDocument.Parse(result.Expect());
        Assert.Contains(how, result.Error, StringComparison.Ordinal);
        Assert.True(json.RootElement.GetProperty("is_whole").GetBoolean());
        JsonElement[] transfers = [.. json.RootElement.GetProperty("transfers").EnumerateArray()];
        Assert.Equal(["download", "upload"], transfers.Select(t => t.GetProperty("name").GetString()));
        Assert.All(transfers, t => Assert.Equal((Bytes, true), (t.GetProperty("bytes").GetInt64(), t.GetProperty("is_whole").GetBoolean())));
    }
}
