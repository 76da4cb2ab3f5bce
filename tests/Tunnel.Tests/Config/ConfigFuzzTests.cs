using System.Text;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>Whatever a file holds, the loader answers: a configuration or problems, never an exception.</summary>
public class ConfigFuzzTests
{
    [Fact]
    public void MutatedFiles()
    {
        // The reference with every setting in use: wrong for both ends, and every key is in it.
        IEnumerable<string> settings = ReferenceFile.Render().Split('\n').Where(line => line.StartsWith('#') && !line.StartsWith("# "));
        string[] lines = [.. settings.Select(line => line[1..])];
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int i = 0; i < 3_000; i++)
        {
            string some = string.Join('\n', lines.Where(line => line.StartsWith('[') || random.Next(3) == 0));
            AssertAnswers(Mutation.Of(Encoding.UTF8.GetBytes(some), random), $"seed {seed}, round {i}");
        }
    }

    private static void AssertAnswers(byte[] utf8, string story)
    {
        try
        {
            ConfigResult<ServerConfig> server = ConfigLoader.LoadServer(utf8, "server.toml");
            ConfigResult<ClientConfig> client = ConfigLoader.LoadClient(utf8, "client.toml");
            Assert.Equal(server.IsValid, server.Problems.Count == 0);
            Assert.Equal(client.IsValid, client.Problems.Count == 0);
            _ = server.DescribeProblems() + client.DescribeProblems() + server + client;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{story}: {Encoding.UTF8.GetString(utf8)}", e);
        }
    }
}
