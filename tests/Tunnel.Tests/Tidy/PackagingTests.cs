using System.Text.RegularExpressions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;

namespace Tunnel.Tests.Tidy;

/// <summary>What is not run here, systemd's units and the container's recipe, at least refers to what there is.</summary>
public partial class PackagingTests
{
    public static TheoryData<string> Sides => ["client", "server"];

    [Theory]
    [MemberData(nameof(Sides))]
    public void AUnitStartsTheExecutableWithItsFile(string side)
    {
        Assert.Equal([$"/usr/local/bin/tunnel-{side} --config /etc/tunnel/{side}.toml"], Values(side, "ExecStart"));
        Assert.Contains($"cmd/tunnel-{side}/Program.cs", Sources.Files);
        Assert.Equal(["notify"], Values(side, "Type"));
        Assert.Equal(["/bin/kill -HUP $MAINPID"], Values(side, "ExecReload"));
        Assert.Equal(["SIGKILL"], Values(side, "WatchdogSignal"));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void AUnitGrantsWhatIsNeededAndNoMore(string side)
    {
        Assert.Equal(["CAP_NET_RAW CAP_NET_ADMIN"], Values(side, "AmbientCapabilities"));
        Assert.Equal(["CAP_NET_RAW CAP_NET_ADMIN"], Values(side, "CapabilityBoundingSet"));
        Assert.Equal(["tunnel"], Values(side, "User"));
        Assert.Equal(["AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX"], Values(side, "RestrictAddressFamilies"));
    }

    /// <summary>Each of these looks like an improvement and keeps the tunnel from working; the units say why.</summary>
    [Theory]
    [MemberData(nameof(Sides))]
    public void AUnitForbidsNothingThatIsNeeded(string side)
    {
        foreach (string name in new[] { "MemoryDenyWriteExecute", "PrivateNetwork", "PrivateUsers", "ProtectProc", "ProcSubset" })
            Assert.Empty(Values(side, name));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void AUnitGivesUpOnWhatTryingAgainDoesNotMend(string side)
    {
        int[] final = [ExitCode.Usage, ExitCode.Configuration, ExitCode.Privilege, ExitCode.MissingDependency];
        Assert.Equal([string.Join(' ', final)], Values(side, "RestartPreventExitStatus"));
    }

    [Fact]
    public void TheUnitsDifferOnlyWhereTheSidesDo()
    {
        string[] client = Settings("client"), server = Settings("server");
        Assert.Equal(server, client.Select(line => line.Replace("client", "server")));
    }

    /// <summary>Of the repository: what COPY names is there. From the first stage: what publishing leaves.</summary>
    [Fact]
    public void TheImageIsMadeOfWhatThereIs()
    {
        Match[] copies = [.. Copy().Matches(Sources.Read("Dockerfile")).Cast<Match>()];
        string[] own = [.. copies.Where(c => c.Groups["stage"].Length == 0).SelectMany(SourcesOf)];
        Assert.NotEmpty(own);
        Sources.ExpectNone(own.Where(s => !Sources.Files.Any(f => f == s || f.StartsWith(s + "/", StringComparison.Ordinal))));

        string[] published = [.. copies.Where(c => c.Groups["stage"].Value == "build").SelectMany(SourcesOf)];
        Assert.Equal(["/out/tunnel-client", "/out/tunnel-server", "/out/tunnelctl"], published);
        Sources.ExpectNone(published.Where(p => !Sources.Files.Contains($"cmd/{p[5..]}/Program.cs")));
    }

    /// <summary>The image is built with what the repository is built with.</summary>
    [Fact]
    public void TheImageHasTheFrameworkOfTheProjects()
    {
        string framework = Regex.Match(Sources.Read("Directory.Build.props"), @"<TargetFramework>net([\d.]+)<").Groups[1].Value;
        Assert.All(From().Matches(Sources.Read("Dockerfile")).Cast<Match>(), m => Assert.Equal(framework, m.Groups["tag"].Value));
    }

    [Fact]
    public void TheFleetGetsWhatIsNeededAndNoMore()
    {
        string manifest = Sources.Read("configs/kubernetes/daemonset.yaml");
        Assert.Contains("drop: [\"ALL\"]\n              add: [\"NET_RAW\", \"NET_ADMIN\"]\n", manifest);
        foreach (string line in new[] { "hostNetwork: true", "allowPrivilegeEscalation: false", "readOnlyRootFilesystem: true" })
            Assert.Contains($"{line}\n", manifest);
        Assert.DoesNotContain("privileged", manifest);
    }

    /// <summary>The manifest speaks of the ports, the path and the time of the file beside it.</summary>
    [Fact]
    public void TheFleetsManifestFitsItsFile()
    {
        string manifest = Sources.Read("configs/kubernetes/daemonset.yaml");
        ServerConfig server = ConfigLoader.LoadServer(Repository.PathOf("configs/kubernetes/server.toml")).Config!;
        Assert.Contains($"containerPort: {server.Port}\n", manifest);
        Assert.Contains($"TCP ports {server.Port} to {server.Port + server.Ports - 1}", manifest.Replace("\n# ", " "));
        Assert.Contains("args: [\"--config\", \"/etc/tunnel/server.toml\"]", manifest);
        int wait = int.Parse(Regex.Match(manifest, @"terminationGracePeriodSeconds: (\d+)").Groups[1].Value);
        Assert.InRange(wait, server.Transport.Grace.TotalSeconds + 5, 120);
    }

    private static string[] SourcesOf(Match copy) => copy.Groups["paths"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1];

    private static string[] Settings(string side) =>
        [.. Sources.Read($"configs/systemd/tunnel-{side}.service").Split('\n').Where(l => l.Length > 0 && l[0] != '#')];

    private static string[] Values(string side, string name) =>
        [.. Settings(side).Where(l => l.StartsWith(name + "=", StringComparison.Ordinal)).Select(l => l[(name.Length + 1)..])];

    [GeneratedRegex(@"^COPY (--from=(?<stage>\S+) )?(?<paths>[^-\n].*)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"^FROM \S+:(?<tag>[\d.]+)", RegexOptions.Multiline)]
    private static partial Regex From();
}
