using System.Reflection;
using System.Text;
using Tunnel.App.Config;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config;

/// <summary>
/// configs/reference.toml says what the loader does: no key too many or too few, the same defaults and ranges, and settings that
/// work when they are uncommented.
/// </summary>
public class ReferenceFileTests
{
    private static readonly string FilePath = Path.Combine(Repository.PathOf("configs"), "reference.toml");

    [Fact]
    public void TheFileIsWhatTheDescriptionSays()
    {
        // After a change of the description: run this test with UPDATE_REFERENCE=1, and read the difference.
        if (Environment.GetEnvironmentVariable("UPDATE_REFERENCE") == "1")
            File.WriteAllText(FilePath, ReferenceFile.Render());
        Assert.Equal(ReferenceFile.Render(), File.ReadAllText(FilePath));
    }

    [Fact]
    public void EveryKeyAndNoOtherIsInTheFileWithItsDefaultAndRange()
    {
        string[] lines = File.ReadAllLines(FilePath);
        List<string> seen = [];
        string table = "";
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("#["))
                table = lines[i].Trim('#', '[', ']');
            if (!IsSetting(lines[i]) || lines[i].StartsWith("#["))
                continue;

            string[] parts = lines[i][1..].Split(" = ", 2);
            ConfigKey? key = ConfigCatalog.FindKey($"{table}.{parts[0]}");
            Assert.NotNull(key);
            Assert.Equal(key.Default ?? key.Example, parts[1]);
            Assert.StartsWith($"# Takes {key.Allowed}.", lines[i - 1]);
            seen.Add(key.FullName);
        }

        Assert.Equal(ConfigCatalog.Keys.Select(key => key.FullName).Order(), seen.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void UncommentedTheTablesOfOneEndAreToml(bool isClient)
    {
        ConfigSide side = isClient ? ConfigSide.Client : ConfigSide.Server;
        HashSet<string> headers = [.. ConfigCatalog.Tables.Where(table => table.Side.HasFlag(side)).Select(table => "#" + table.Header)];
        bool isOfThisEnd = true;
        List<string> lines = [];
        foreach (string line in File.ReadAllLines(FilePath))
        {
            if (line.StartsWith("#["))
                isOfThisEnd = headers.Contains(line);
            if (isOfThisEnd)
                lines.Add(line);
        }

        TomlDocument document = TomlDocument.Parse(Encoding.UTF8.GetBytes(string.Join('\n', Uncomment(lines))));
        Assert.Empty(document.Errors);
    }

    /// <summary>Each default written out gives the configuration that leaving it out gives.</summary>
    [Fact]
    public void DefaultsAreWhatTheFileSays()
    {
        string server = ConfigText.ValidServer(ConfigText.Server).ToString();
        string client = ConfigText.ValidClient(ConfigText.Client).ToString();
        IEnumerable<ConfigKey> keys = ConfigCatalog.Keys
            .Where(key => key.Default is not null && key.Table is not ("server" or "listen" or "transport.kcp")
                && !ConfigCatalog.FindTable(key.Table, key.Side)!.IsArray);
        foreach (ConfigKey key in keys)
        {
            string setting = $"[{key.Table}]\n{key.Name} = {key.Default}";
            if (key.Side.HasFlag(ConfigSide.Server))
                Assert.Equal(server, ConfigText.ValidServer(ConfigText.Server + setting).ToString());
            if (key.Side.HasFlag(ConfigSide.Client))
                Assert.Equal(client, ConfigText.ValidClient(ConfigText.Client + setting).ToString());
        }

        foreach (ConfigKey key in ConfigCatalog.KeysOf("transport.kcp").Where(key => key.Default is not null).Except(KcpKeys.Manual))
            Assert.Equal(server, ConfigText.ValidServer(ConfigText.Server + $"{key.Name} = {key.Default}").ToString());
    }

    /// <summary>The tables that every file has: their defaults stand beside what is required.</summary>
    [Fact]
    public void DefaultsOfRequiredTablesAreWhatTheFileSays()
    {
        const string Listen = "[listen]\nport = 9999\n", Server = "[server]\naddress = \"192.0.2.1:9999\"\n";
        string server = ConfigText.ValidServer(ConfigText.Server).ToString();
        string client = ConfigText.ValidClient(ConfigText.Client).ToString();
        foreach (ConfigKey key in ConfigCatalog.KeysOf("listen").Where(key => key.Default is not null))
            Assert.Equal(server, ConfigText.ValidServer(ConfigText.Server.Replace(Listen, $"{Listen}{key.Name} = {key.Default}\n")).ToString());
        foreach (ConfigKey key in ConfigCatalog.KeysOf("server").Where(key => key.Default is not null))
        {
            ClientConfig written = ConfigText.ValidClient(ConfigText.Client.Replace(Server, $"{Server}{key.Name} = {key.Default}\n"));
            Assert.Equal(client, written.ToString());
            Assert.Equal(ConfigText.ValidClient(ConfigText.Client).Servers, written.Servers);
        }
    }

    [Fact]
    public void ManualDefaultsAreWhatTheFileSays()
    {
        string settings = string.Concat(KcpKeys.Manual.Select(key => $"{key.Name} = {key.Default}\n"));
        Assert.Equal(
            ConfigText.ValidServer(ConfigText.Server + "mode = 'manual'\n"),
            ConfigText.ValidServer(ConfigText.Server + "mode = 'manual'\n" + settings),
            (a, b) => a.ToString() == b.ToString());
    }

    [Fact]
    public void EveryDescribedKeyIsInTheCatalog()
    {
        Type[] holders = [typeof(EndKeys), typeof(ServiceKeys), typeof(NetworkKeys), typeof(TransportKeys), typeof(KcpKeys), typeof(DebugKeys)];
        IEnumerable<object?> described = holders
            .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static))
            .Select(field => field.GetValue(null))
            .Where(value => value is ConfigKey);
        Assert.Empty(described.Except(ConfigCatalog.Keys));
        Assert.All(ConfigCatalog.Keys, key => Assert.NotNull(ConfigCatalog.FindTable(key.Table, key.Side)));
        Assert.All(ConfigCatalog.Keys, key => Assert.False(key.Default is null && key.Example is null));
    }

    private static IEnumerable<string> Uncomment(IEnumerable<string> lines) => lines.Select(line => IsSetting(line) ? line[1..] : line);

    private static bool IsSetting(string line) => line.Length > 1 && line[0] == '#' && line[1] != ' ';
}
