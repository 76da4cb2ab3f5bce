using System.Text;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

public sealed class KeyFileTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("tunnel-key-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("secret")]
    [InlineData("secret\n")]
    [InlineData("secret\r\n")]
    public void LineEndsAtTheEndAreTrimmed(string content)
    {
        ConfigResult<ServerConfig> result = Load(Encoding.UTF8.GetBytes(content), Private);
        Assert.Equal("secret", result.Config!.Transport.Kcp.Key.Reveal());
        Assert.Empty(result.Warnings);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    public void FilesThatOthersCanReadAreWarnedAbout(UnixFileMode mode)
    {
        ConfigResult<ServerConfig> result = Load("secret"u8, Private | mode);
        Assert.True(result.IsValid);
        ConfigProblem warning = Assert.Single(result.Warnings);
        Assert.Equal((4, 10, "transport.kcp.key_file"), (warning.Line, warning.Column, warning.Key));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("\n\n", "empty")]
    public void EmptyFilesAreRefused(string content, string what) => AssertRefused(Load(Encoding.UTF8.GetBytes(content), Private), what);

    [Fact]
    public void FilesThatAreNotTextAreRefused() => AssertRefused(Load([0x68, 0xFF, 0xFE], Private), "not UTF-8");

    [Fact]
    public void LongFilesAreRefused() => AssertRefused(Load(new byte[5000], Private), "longer than 4096");

    [Fact]
    public void MissingFilesAreRefused() => AssertRefused(Load(), "cannot be used");

    [Fact]
    public void FoldersAreRefused()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "tunnel.key"));
        ConfigResult<ServerConfig> result = Load();
        AssertRefused(result, "cannot be used: it is a folder");
        // Not that it should have a key's mode.
        Assert.Empty(result.Warnings);
        Assert.EndsWith("it is a folder", Assert.Single(ConfigLoader.LoadServer(_folder).Problems).What);
    }

    /// <summary>The setting is the key, not the name of its file.</summary>
    [Fact]
    public void AnotherKeyInTheFileIsAChange()
    {
        ConfigResult<ServerConfig> first = Load("one"u8, Private), same = Load("one\n"u8, Private), second = Load("two"u8, Private);
        Assert.Empty(first.Settings!.ChangesTo(same.Settings!));
        Assert.Equal([new ConfigChange("transport.kcp.key_file", false)], first.Settings.ChangesTo(second.Settings!));
        Assert.Equal([Path.Combine(_folder, "server.toml"), Path.Combine(_folder, "tunnel.key")], first.Files);
    }

    private ConfigResult<ServerConfig> Load(ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        string path = Path.Combine(_folder, "tunnel.key");
        File.WriteAllBytes(path, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, mode);
        return Load();
    }

    private ConfigResult<ServerConfig> Load()
    {
        string path = Path.Combine(_folder, "server.toml");
        File.WriteAllText(path, "[listen]\nport=1\n[transport.kcp]\nkey_file='tunnel.key'");
        return ConfigLoader.LoadServer(path);
    }

    private static void AssertRefused(ConfigResult<ServerConfig> result, string what)
    {
        ConfigProblem problem = Assert.Single(result.Problems);
        Assert.Equal((4, 10, "transport.kcp.key_file"), (problem.Line, problem.Column, problem.Key));
        Assert.Contains(what, problem.What);
    }
}
