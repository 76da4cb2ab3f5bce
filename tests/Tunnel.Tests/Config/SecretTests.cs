using System.Text;
using System.Text.Json;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

public class SecretTests
{
    private const string Hidden = "hunter2";

    [Fact]
    public void SecretsShowThemselvesOnlyWhenAsked()
    {
        var secret = new Secret(Hidden);

        Assert.Equal(Hidden, secret.Reveal());
        Assert.Equal("***", secret.ToString());
        Assert.Equal("***", $"{secret}");
        Assert.Equal("\"***\"", JsonSerializer.Serialize(secret));
        Assert.Equal(new Secret(Hidden), secret);
        Assert.NotEqual(new Secret("hunter3"), secret);
        Assert.Equal(new Secret("other").GetHashCode(), secret.GetHashCode());
    }

    [Fact]
    public void ConfigurationsDoNotPrintThem()
    {
        string toml = ConfigText.Client.Replace("\"k\"", $"\"{Hidden}\"")
            + $"[[socks5]]\nlisten='127.0.0.1:2'\nusername='{Hidden}'\npassword='{Hidden}'";
        ClientConfig config = ConfigText.ValidClient(toml);

        Assert.Equal(Hidden, config.Transport.Kcp.Key.Reveal());
        Assert.Equal(Hidden, config.Socks5[1].Credentials!.Password.Reveal());
        Assert.DoesNotContain(Hidden, config.ToString());
        Assert.DoesNotContain(Hidden, config.Transport.ToString());
        Assert.DoesNotContain(Hidden, config.Socks5[1].ToString());
        Assert.DoesNotContain(Hidden, JsonSerializer.Serialize(config.Transport));
        Assert.DoesNotContain(Hidden, JsonSerializer.Serialize(config.Socks5[1].Credentials));
    }

    [Theory]
    [InlineData("key = hunter2")]
    [InlineData("key = \"hunter2")]
    [InlineData("key = ['hunter2']")]
    [InlineData("key = { hunter2 = 'hunter2' }")]
    [InlineData("key.hunter2 = 1")]
    [InlineData("kye = 'hunter2'")]
    [InlineData("password = 'hunter2'")]
    [InlineData("key = 'hunter2'\nkey = 'hunter2'")]
    [InlineData("key = 'hunter2'\nkey_file = 'nowhere'")]
    [InlineData("key = \"hunter2\\q\"")]
    [InlineData("key = 'hunter2' 'hunter2'")]
    [InlineData("key = \"\"\"hunter2")]
    public void ErrorsDoNotPrintThem(string line)
    {
        ConfigResult<ServerConfig> result = ConfigText.LoadServer($"[listen]\nport=1\n[transport.kcp]\n{line}\n");
        Assert.NotEmpty(result.Problems);
        Assert.DoesNotContain(Hidden, result.DescribeProblems());
        Assert.DoesNotContain(Hidden, result.ToString());
        Assert.All(result.Problems, problem => Assert.DoesNotContain(Hidden, problem.ToString()));
    }

    [Fact]
    public void LongSecretsAreRefusedUnquoted()
    {
        string problems = ConfigText.LoadServer(ConfigText.Server.Replace("\"k\"", $"\"{new string('h', 5000)}\"")).DescribeProblems();
        Assert.Contains("too long", problems);
        Assert.DoesNotContain("hhh", problems);
    }

    [Theory]
    [InlineData(256, false)]
    [InlineData(255, true)]
    public void CredentialsAreBounded(int bytes, bool isValid)
    {
        string toml = ConfigText.Client + $"[[socks5]]\nlisten='127.0.0.1:2'\nusername='u'\npassword='{new string('p', bytes)}'";
        Assert.Equal(isValid, ConfigText.LoadClient(toml).IsValid);
    }

    [Fact]
    public void TheExamplesKeyIsWarnedAbout()
    {
        var result = ConfigText.LoadServer(ConfigText.Server.Replace("\"k\"", "\"replace-me-with-tunnelctl-keygen\""));
        Assert.True(result.IsValid);
        Assert.Contains("replace it", Assert.Single(result.Warnings).What);
    }
}
